{{- /* A job around an install or upgrade, with all that it needs, as it may run before anything else is
there: (dict "root" $ "component" NAME "hooks" TEXT "args" LIST ["files" DICT] ["command" LIST]). */ -}}
{{- define "maskstream.hooked" -}}
{{- include "maskstream.metadata" . }}
annotations:
  helm.sh/hook: {{ .hooks }}
  helm.sh/hook-weight: {{ .weight | default "0" | quote }}
  helm.sh/hook-delete-policy: {{ .delete | default "before-hook-creation,hook-succeeded" }}
{{- end -}}

{{- define "maskstream.job" -}}
{{- $first := merge (dict "weight" "-5") . -}}
apiVersion: v1
kind: ServiceAccount
metadata: {{ include "maskstream.hooked" $first | nindent 2 }}
automountServiceAccountToken: false
---
apiVersion: v1
kind: ConfigMap
metadata: {{ include "maskstream.hooked" $first | nindent 2 }}
data:
  config.yaml: |
    {{- include "maskstream.config" . | nindent 4 }}
  {{- range $name, $text := .files | default dict }}
  {{ $name }}: |
    {{- $text | nindent 4 }}
  {{- end }}
---
apiVersion: batch/v1
kind: Job
metadata: {{ include "maskstream.hooked" . | nindent 2 }}
spec:
  backoffLimit: 5
  activeDeadlineSeconds: 270  # Helm waits for 5 min, and would not say why
  podFailurePolicy:
    rules:
      - {action: FailJob, onExitCodes: {operator: In, values: [78]}}  # a bad configuration stays bad
  template:
    metadata:
      labels: {{ include "maskstream.selector" . | nindent 8 }}
    spec:
      restartPolicy: Never
      {{- include "maskstream.task" . | nindent 6 }}
{{- end -}}

{{- /* The pod of a job or of a test, but for when it starts again. */ -}}
{{- define "maskstream.task" -}}
{{- include "maskstream.security" (dict "root" .root "account" (printf "%s-%s" (include "maskstream.fullname" .root) .component)) }}
{{- $pods := .root.Values.pods }}
{{- with $pods.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with $pods.nodeSelector }}
nodeSelector: {{ toYaml . | nindent 2 }}
{{- end }}
{{- with $pods.tolerations }}
tolerations: {{ toYaml . | nindent 2 }}
{{- end }}
containers:
  - name: maskstream
    image: {{ include "maskstream.image" (dict "root" .root "image" .root.Values.image) }}
    imagePullPolicy: {{ .root.Values.image.pullPolicy }}
    {{- with .command }}
    command: {{ toJson . }}
    {{- end }}
    args: {{ toJson .args }}
    resources: {{ toYaml .root.Values.jobs.resources | nindent 6 }}
    {{- include "maskstream.confined" . | nindent 4 }}
    volumeMounts: {{ include "maskstream.mounts" . | nindent 6 }}
volumes: {{ include "maskstream.volumes" . | nindent 2 }}
{{- end -}}
