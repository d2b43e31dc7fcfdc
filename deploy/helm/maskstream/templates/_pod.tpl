{{- /* The pod of a component: a dict made by `maskstream.component`. */ -}}
{{- define "maskstream.pod" -}}
{{- $root := .root -}}
{{- $pod := .pod -}}
metadata:
  labels:
    {{- include "maskstream.selector" . | nindent 4 }}
    {{- with $pod.labels }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  annotations:
    maskstream/config: {{ include "maskstream.checksum" . }}
    {{- with $pod.annotations }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
spec:
  {{- include "maskstream.security" (dict "root" $root "account" (printf "%s-%s" (include "maskstream.fullname" $root) .component)) | nindent 2 }}
  terminationGracePeriodSeconds: {{ include "maskstream.grace" . }}
  {{- with $pod.priorityClassName }}
  priorityClassName: {{ . }}
  {{- end }}
  {{- with $pod.runtimeClassName }}
  runtimeClassName: {{ . }}
  {{- end }}
  {{- with $pod.nodeSelector }}
  nodeSelector: {{ toYaml . | nindent 4 }}
  {{- end }}
  {{- with $pod.tolerations }}
  tolerations: {{ toYaml . | nindent 4 }}
  {{- end }}
  {{- with include "maskstream.affinity" . }}
  affinity: {{ . | nindent 4 }}
  {{- end }}
  topologySpreadConstraints: {{ include "maskstream.spread" . | nindent 4 }}
  {{- with include "maskstream.fetch" . }}
  initContainers: {{ . | nindent 4 }}
  {{- end }}
  containers:
    - name: maskstream
      image: {{ include "maskstream.image" . }}
      imagePullPolicy: {{ .image.pullPolicy }}
      args: {{ toJson .args }}
      {{- with $pod.env }}
      env:
        {{- range $name, $value := . }}
        - {name: {{ $name }}, value: {{ kindIs "string" $value | ternary $value (toJson $value) | quote }}}
        {{- end }}
      {{- end }}
      ports:
        - {name: health, containerPort: 9090}
        {{- if eq .component "web" }}
        - {name: http, containerPort: 8080}
        {{- end }}
      {{- include "maskstream.probes" . | nindent 6 }}
      resources: {{ include "maskstream.resources" . | nindent 8 }}
      {{- include "maskstream.confined" . | nindent 6 }}
      volumeMounts: {{ include "maskstream.mounts" . | nindent 8 }}
  volumes: {{ include "maskstream.volumes" . | nindent 4 }}
{{- end -}}

{{- /* Fields of a pod under PodSecurity `restricted`: (dict "root" $ "account" NAME). */ -}}
{{- define "maskstream.security" -}}
serviceAccountName: {{ .account }}
automountServiceAccountToken: false
enableServiceLinks: false
{{- with .root.Values.imagePullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
securityContext:
  runAsNonRoot: true
  runAsUser: 65532
  runAsGroup: 65532
  fsGroup: 65532
  fsGroupChangePolicy: OnRootMismatch
  seccompProfile: {type: RuntimeDefault}
{{- end -}}

{{- /* The same of a container. */ -}}
{{- define "maskstream.confined" -}}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: {drop: [ALL]}
{{- end -}}

{{- /* How long a stop may take, s: the drain, then 2 s for files to be closed, 7 s for workers that did
not end by themselves, the sleep before SIGTERM, and 6 s in hand. */ -}}
{{- define "maskstream.grace" -}}
{{- $drain := include "maskstream.seconds" (dig "drain" 10 .root.Values.config) | float64 | ceil | int -}}
{{- add $drain 15 (ternary 5 0 (eq .component "web")) -}}
{{- end -}}

{{- define "maskstream.probes" -}}
startupProbe:
  httpGet: {path: /livez, port: health}
  periodSeconds: 2
  timeoutSeconds: 2
  failureThreshold: 60
livenessProbe:
  httpGet: {path: /livez, port: health}
  periodSeconds: 10
  timeoutSeconds: 5
  failureThreshold: 3
  terminationGracePeriodSeconds: 5  # who hangs hears no SIGTERM
readinessProbe:
  httpGet: {path: /readyz, port: health}
  periodSeconds: 2
  timeoutSeconds: 2
  failureThreshold: 2
{{- if eq .component "web" }}
lifecycle:
  preStop: {sleep: {seconds: 5}}  # until nobody is sent here any more
{{- end }}
{{- end -}}

{{- define "maskstream.resources" -}}
{{- $resources := deepCopy .values.resources -}}
{{- if gt (int (dig "count" 0 .gpu)) 0 -}}
{{- $count := toString (int .gpu.count) -}}
{{- range list "requests" "limits" -}}
{{- $_ := set $resources . (set (get $resources . | default dict) $.gpu.resource $count) -}}
{{- end -}}
{{- end -}}
{{- toYaml $resources -}}
{{- end -}}

{{- define "maskstream.affinity" -}}
{{- if .pod.affinity -}}
{{- toYaml .pod.affinity -}}
{{- else if and (gt (int (dig "count" 0 .gpu)) 0) .gpu.onePerNode -}}
podAntiAffinity:
  requiredDuringSchedulingIgnoredDuringExecution:
    - topologyKey: kubernetes.io/hostname
      labelSelector:
        matchLabels:
          {{- include "maskstream.selector" . | nindent 10 }}
{{- end -}}
{{- end -}}

{{- define "maskstream.spread" -}}
{{- if kindIs "slice" .pod.topologySpreadConstraints -}}
{{- toYaml .pod.topologySpreadConstraints -}}
{{- else -}}
- maxSkew: 1
  topologyKey: kubernetes.io/hostname
  whenUnsatisfiable: ScheduleAnyway
  labelSelector:
    matchLabels:
      {{- include "maskstream.selector" . | nindent 6 }}
{{- end -}}
{{- end -}}

{{- /* A pod of another configuration, model or image is another pod; that of `watch`, `notify` and `web`
takes over zones and rules while it runs, and who has no artefact runs no model. */ -}}
{{- define "maskstream.checksum" -}}
{{- $config := include "maskstream.config" . | fromYaml -}}
{{- if eq .component "watch" "notify" "web" -}}
{{- $config = omit $config "zones" "rules" -}}
{{- end -}}
{{- if not .artefact -}}
{{- $config = omit $config "model" -}}
{{- end -}}
{{- list $config .artefacts | toJson | sha256sum -}}
{{- end -}}
