-- The health of an object of any kind of kube-glue.dev, for Argo CD. All kinds use the same conditions.

local health = { status = "Progressing", message = "Waiting for the controller" }

if obj.metadata ~= nil and obj.metadata.deletionTimestamp ~= nil then
  health.message = "Being deleted"
  return health
end

local status = obj.status
if status == nil or status.conditions == nil then
  return health
end

-- The conditions describe an older spec, or the controller has not observed the object yet.
local generation = obj.metadata ~= nil and obj.metadata.generation or nil
if generation ~= nil and status.observedGeneration ~= nil and status.observedGeneration ~= generation then
  return health
end

local is_true = {}
for _, condition in ipairs(status.conditions) do
  if condition.status == "True" then
    is_true[condition.type] = condition
  elseif condition.type == "Ready" and condition.message ~= nil and condition.message ~= "" then
    health.message = condition.message
  end
end

local function report(state, condition)
  health.status = state
  if condition.message ~= nil and condition.message ~= "" then
    health.message = condition.message
  else
    health.message = condition.reason or condition.type
  end
  return health
end

-- Ready takes precedence: with readyWhen: Started, a run is Ready while it is running.
if is_true["Ready"] then
  return report("Healthy", is_true["Ready"])
end
if is_true["Suspended"] then
  return report("Suspended", is_true["Suspended"])
end
if is_true["Failed"] then
  return report("Degraded", is_true["Failed"])
end
if is_true["Stalled"] then
  return report("Degraded", is_true["Stalled"])
end
if is_true["Reconciling"] then
  return report("Progressing", is_true["Reconciling"])
end
return health
