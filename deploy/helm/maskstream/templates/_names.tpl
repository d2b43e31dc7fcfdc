{{- define "maskstream.fullname" -}}
{{- .Values.fullnameOverride | default .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- end -}}

{{- /* What tells a component's pods from all others: (dict "root" $ "component" NAME). */ -}}
{{- define "maskstream.selector" -}}
app.kubernetes.io/name: maskstream
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end -}}

{{- /* A label takes no + of a version. */ -}}
{{- define "maskstream.labels" -}}
{{ include "maskstream.selector" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | replace "+" "_" | quote }}
app.kubernetes.io/part-of: maskstream
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" | quote }}
{{- end -}}

{{- /* metadata of what belongs to a component: (dict "root" $ "component" NAME ["suffix" TEXT]). */ -}}
{{- define "maskstream.metadata" -}}
name: {{ include "maskstream.fullname" .root }}-{{ .component }}{{ .suffix | default "" }}
namespace: {{ .root.Release.Namespace }}
labels:
  {{- include "maskstream.labels" . | nindent 2 }}
{{- end -}}

{{- /* An image by digest, or by tag. */ -}}
{{- define "maskstream.image" -}}
{{- $image := .image -}}
{{- if $image.digest -}}
{{ $image.repository }}@{{ $image.digest }}
{{- else -}}
{{ $image.repository }}:{{ $image.tag | default (.root.Chart.AppVersion | replace "+" "_") }}
{{- end -}}
{{- end -}}

{{- /* `config` as YAML, without sections that are null: Helm keeps those that have no default here. */ -}}
{{- define "maskstream.given" -}}
{{- $given := dict -}}
{{- range $key, $value := .Values.config -}}
{{- if not (kindIs "invalid" $value) -}}
{{- $_ := set $given $key $value -}}
{{- end -}}
{{- end -}}
{{- toYaml $given -}}
{{- end -}}

{{- /* Seconds of a duration, as the configuration takes it: 0.5, 500ms, 5s, 2m, 1h. */ -}}
{{- define "maskstream.seconds" -}}
{{- $text := toString . -}}
{{- $number := float64 (regexFind "^[0-9.]+" $text) -}}
{{- $unit := regexFind "[a-z]+$" $text | default "s" -}}
{{- mulf $number (get (dict "ms" 0.001 "s" 1.0 "m" 60.0 "h" 3600.0 "d" 86400.0) $unit) -}}
{{- end -}}

{{- /* The components that are switched on, as JSON. */ -}}
{{- define "maskstream.components" -}}
{{- $components := list "segment" -}}
{{- range list "ingest" "watch" "notify" "web" -}}
{{- if (get $.Values .).enabled -}}
{{- $components = append $components . -}}
{{- end -}}
{{- end -}}
{{- if .Values.segmentArchive.enabled -}}
{{- $components = append $components "segment-archive" -}}
{{- end -}}
{{- if include "maskstream.hasShadow" . -}}
{{- $components = concat $components (list "shadow" "compare") -}}
{{- end -}}
{{- toJson $components -}}
{{- end -}}

{{- /* Those that always have a pod, as JSON. */ -}}
{{- define "maskstream.running" -}}
{{- $components := include "maskstream.components" . | fromJsonArray -}}
{{- if and .Values.scaling.enabled (eq (int .Values.segmentArchive.scaling.minReplicas) 0) -}}
{{- $components = without $components "segment-archive" -}}
{{- end -}}
{{- toJson $components -}}
{{- end -}}
