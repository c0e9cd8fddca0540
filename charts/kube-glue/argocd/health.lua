-- Argo CD's view of a kube-glue.dev resource: GlueJobRun, GlueCrawlerRun, GlueTrigger, GlueConnection.
-- One script for all four: they say the same things in the same conditions.

local health = { status = "Progressing", message = "Waiting for the controller" }

if obj.metadata ~= nil and obj.metadata.deletionTimestamp ~= nil then
  health.message = "Being deleted"
  return health
end

local status = obj.status
if status == nil or status.conditions == nil then
  return health
end

-- What the conditions say is about an older spec, or about none yet.
local generation = obj.metadata ~= nil and obj.metadata.generation or nil
if generation ~= nil and status.observedGeneration ~= nil and status.observedGeneration ~= generation then
  return health
end

local holds = {}
for _, condition in ipairs(status.conditions) do
  if condition.status == "True" then
    holds[condition.type] = condition
  elseif condition.type == "Ready" and condition.message ~= nil and condition.message ~= "" then
    health.message = condition.message
  end
end

local function is(state, condition)
  health.status = state
  if condition.message ~= nil and condition.message ~= "" then
    health.message = condition.message
  else
    health.message = condition.reason or condition.type
  end
  return health
end

-- Ready comes first: a run that counts as ready once it has started is healthy, whatever else it says.
if holds["Ready"] then
  return is("Healthy", holds["Ready"])
end
if holds["Suspended"] then
  return is("Suspended", holds["Suspended"])
end
if holds["Failed"] then
  return is("Degraded", holds["Failed"])
end
if holds["Stalled"] then
  return is("Degraded", holds["Stalled"])
end
if holds["Reconciling"] then
  return is("Progressing", holds["Reconciling"])
end
return health
