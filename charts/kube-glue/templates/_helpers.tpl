{{- define "kube-glue.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
{{- end }}

{{- define "kube-glue.fullname" -}}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 63 | trimSuffix "-" }}
{{- else }}
{{- $name := include "kube-glue.name" . }}
{{- if contains $name .Release.Name }}
{{- .Release.Name | trunc 63 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name $name | trunc 63 | trimSuffix "-" }}
{{- end }}
{{- end }}
{{- end }}

{{- /* The name of cluster-scoped objects. It contains the namespace, so that releases do not collide. */ -}}
{{- define "kube-glue.clusterName" -}}
{{- if eq .Release.Namespace (include "kube-glue.fullname" .) }}
{{- include "kube-glue.fullname" . }}
{{- else }}
{{- printf "%s-%s" .Release.Namespace (include "kube-glue.fullname" .) }}
{{- end }}
{{- end }}

{{- define "kube-glue.selectorLabels" -}}
app.kubernetes.io/name: {{ include "kube-glue.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "kube-glue.labels" -}}
{{ include "kube-glue.selectorLabels" . }}
app.kubernetes.io/version: {{ .Values.image.tag | default .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- with .Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "kube-glue.serviceAccountName" -}}
{{- if .Values.serviceAccount.create }}
{{- default (include "kube-glue.fullname" .) .Values.serviceAccount.name }}
{{- else }}
{{- default "default" .Values.serviceAccount.name }}
{{- end }}
{{- end }}

{{- define "kube-glue.leaseName" -}}
{{- default (include "kube-glue.fullname" .) .Values.leaderElection.leaseName }}
{{- end }}

{{- define "kube-glue.leaseNamespace" -}}
{{- default .Release.Namespace .Values.leaderElection.leaseNamespace }}
{{- end }}

{{- define "kube-glue.image" -}}
{{- $repository := required "image.repository is required: build the image, push it to your registry, and name it here" .Values.image.repository }}
{{- if .Values.image.digest }}
{{- printf "%s@%s" $repository .Values.image.digest }}
{{- else }}
{{- printf "%s:%s" $repository (.Values.image.tag | default .Chart.AppVersion) }}
{{- end }}
{{- end }}

{{- /* The definitions of the enabled kinds, as a list. They are read from files/crds. */ -}}
{{- define "kube-glue.crds" -}}
{{- $crds := list }}
{{- $kinds := list }}
{{- range $path, $_ := .Files.Glob "files/crds/*.yaml" }}
{{- $crd := $.Files.Get $path | fromYaml }}
{{- $kinds = append $kinds $crd.spec.names.kind }}
{{- if or (not $.Values.kinds) (has $crd.spec.names.kind $.Values.kinds) }}
{{- $crds = append $crds $crd }}
{{- end }}
{{- end }}
{{- range .Values.kinds }}
{{- if not (has . $kinds) }}
{{- fail (printf "kinds: there is no kind %s; the kinds are %s" . (join ", " $kinds)) }}
{{- end }}
{{- end }}
{{- toJson $crds }}
{{- end }}

{{- /*
The names of the custom resources for RBAC, as a list.
  root         the root context
  subresource  optional: append /<subresource> to each name
  field        optional: only the kinds whose spec has this field
*/ -}}
{{- define "kube-glue.resources" -}}
{{- $resources := list }}
{{- range $crd := include "kube-glue.crds" .root | fromJsonArray }}
{{- $version := first $crd.spec.versions }}
{{- if or (not $.field) (hasKey $version.schema.openAPIV3Schema.properties.spec.properties $.field) }}
{{- $resources = append $resources (list $crd.spec.names.plural $.subresource | compact | join "/") }}
{{- end }}
{{- end }}
{{- toJson $resources }}
{{- end }}

{{- /* The rules for the custom resources and what they refer to, in one namespace or in all. */ -}}
{{- define "kube-glue.rules" -}}
# Watch the objects; add and remove the finalizer.
- apiGroups: [kube-glue.dev]
  resources: {{ include "kube-glue.resources" (dict "root" .) }}
  verbs: [get, list, watch, patch]
# Write the status subresource, which the right to patch the object does not include.
- apiGroups: [kube-glue.dev]
  resources: {{ include "kube-glue.resources" (dict "root" . "subresource" "status") }}
  verbs: [patch]
{{- $finishing := include "kube-glue.resources" (dict "root" . "field" "ttlSecondsAfterFinished") }}
{{- if ne $finishing "[]" }}
# Delete finished runs after ttlSecondsAfterFinished.
- apiGroups: [kube-glue.dev]
  resources: {{ $finishing }}
  verbs: [delete]
{{- end }}
{{- if .Values.credentials.watchSecrets }}
# Read the Secrets that objects name, each by its name. List and watch Secrets: the controller does so for their
# metadata only, but RBAC cannot express that.
- apiGroups: [""]
  resources: [secrets]
  verbs: [get, list, watch]
{{- else }}
# Read the Secrets that objects name, each by its name.
- apiGroups: [""]
  resources: [secrets]
  verbs: [get]
{{- end }}
# Read the ConfigMaps that objects name.
- apiGroups: [""]
  resources: [configmaps]
  verbs: [get]
# Emit Events about the objects; patch increments the count of a repeated Event.
- apiGroups: [events.k8s.io]
  resources: [events]
  verbs: [create, patch]
{{- end }}
