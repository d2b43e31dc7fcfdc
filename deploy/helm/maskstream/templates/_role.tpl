{{- /* All objects of a component: (dict "root" $ "component" NAME "values" VALUES "args" LIST
["artefact" ARTEFACT] ["scaled" BOOL]). */ -}}
{{- define "maskstream.role" -}}
{{- $gpu := .values.gpu | default dict -}}
{{- $isGpu := gt (int (dig "count" 0 $gpu)) 0 -}}
{{- $image := ternary .root.Values.cudaImage .root.Values.image $isGpu -}}
{{- $pod := include "maskstream.ownPod" . | fromYaml -}}
{{- $component := merge (dict "gpu" $gpu "image" $image "pod" $pod "artefacts" (list .artefact)) . -}}
{{- include "maskstream.objects" $component -}}
{{- end -}}

{{- /* `pods`, over which lies the component's own `pod`, 0 and empty lists included, which `merge` would take
for none; mappings key by key. */ -}}
{{- define "maskstream.ownPod" -}}
{{- $pod := deepCopy .root.Values.pods -}}
{{- range $key, $value := .values.pod -}}
{{- if kindIs "map" $value -}}
{{- $both := get $pod $key | default dict -}}
{{- range $name, $each := $value -}}
{{- $_ := set $both $name $each -}}
{{- end -}}
{{- $_ := set $pod $key $both -}}
{{- else -}}
{{- $_ := set $pod $key $value -}}
{{- end -}}
{{- end -}}
{{- toYaml $pod -}}
{{- end -}}

{{- define "maskstream.objects" -}}
apiVersion: v1
kind: ServiceAccount
metadata: {{ include "maskstream.metadata" . | nindent 2 }}
automountServiceAccountToken: false
---
apiVersion: v1
kind: ConfigMap
metadata: {{ include "maskstream.metadata" . | nindent 2 }}
data:
  config.yaml: |
    {{- include "maskstream.config" . | nindent 4 }}
---
apiVersion: v1
kind: Service
metadata: {{ include "maskstream.metadata" . | nindent 2 }}
    maskstream/scrape: "true"
spec:
  clusterIP: None
  publishNotReadyAddresses: true
  selector: {{ include "maskstream.selector" . | nindent 4 }}
  ports:
    - {name: health, port: 9090, targetPort: health}
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {{ include "maskstream.metadata" . | nindent 2 }}
spec:
  serviceName: {{ include "maskstream.fullname" .root }}-{{ .component }}
  {{- if not (and .scaled .root.Values.scaling.enabled) }}
  replicas: {{ .values.replicas | default 1 }}
  {{- end }}
  podManagementPolicy: Parallel
  revisionHistoryLimit: 5
  updateStrategy:
    type: RollingUpdate
    rollingUpdate: {partition: {{ .pod.partition }}, maxUnavailable: {{ .pod.maxUnavailable }}}
  selector:
    matchLabels: {{ include "maskstream.selector" . | nindent 6 }}
  template: {{ include "maskstream.pod" . | nindent 4 }}
{{- if .root.Values.podDisruptionBudgets }}
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {{ include "maskstream.metadata" . | nindent 2 }}
spec:
  maxUnavailable: {{ .pod.maxUnavailable }}
  unhealthyPodEvictionPolicy: AlwaysAllow
  selector:
    matchLabels: {{ include "maskstream.selector" . | nindent 6 }}
{{- end }}
{{- end -}}

{{- /* `--workers N` where a pod has more than one process, as JSON. */ -}}
{{- define "maskstream.workers" -}}
{{- ternary (list "--workers" (toString (int .workers))) (list) (gt (int .workers) 1) | toJson -}}
{{- end -}}
