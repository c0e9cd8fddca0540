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

{{- /* Names of objects that are the cluster's carry the namespace, so that releases do not collide. */ -}}
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
{{- if .Values.image.digest }}
{{- printf "%s@%s" .Values.image.repository .Values.image.digest }}
{{- else }}
{{- printf "%s:%s" .Values.image.repository (.Values.image.tag | default .Chart.AppVersion) }}
{{- end }}
{{- end }}

{{- /* The rules on the custom resources and what they refer to, for one namespace or for all. */ -}}
{{- define "kube-glue.rules" -}}
# Follow the objects; put the finalizer on them and take it off.
- apiGroups: [kube-glue.dev]
  resources: [gluejobruns, gluecrawlerruns, gluetriggers, glueconnections]
  verbs: [get, list, watch, patch]
# Write what became of them. It is a resource of its own: editing an object does not reach it.
- apiGroups: [kube-glue.dev]
  resources: [gluejobruns/status, gluecrawlerruns/status, gluetriggers/status, glueconnections/status]
  verbs: [patch]
# Delete finished runs when ttlSecondsAfterFinished says so.
- apiGroups: [kube-glue.dev]
  resources: [gluejobruns, gluecrawlerruns]
  verbs: [delete]
{{- if .Values.credentials.watchSecrets }}
# Read the Secrets that objects name, one by one and by name; see that one changed (list and watch,
# which the controller does for metadata only, though RBAC cannot say so).
- apiGroups: [""]
  resources: [secrets]
  verbs: [get, list, watch]
{{- else }}
# Read the Secrets that objects name, one by one and by name.
- apiGroups: [""]
  resources: [secrets]
  verbs: [get]
{{- end }}
# Read the ConfigMaps that objects name.
- apiGroups: [""]
  resources: [configmaps]
  verbs: [get]
# Tell each object's story as Events; patch counts one that repeats.
- apiGroups: [events.k8s.io]
  resources: [events]
  verbs: [create, patch]
{{- end }}
