{{- /* Secrets that a component reads, as a list of {name, secret, path}. */ -}}
{{- define "maskstream.secrets" -}}
{{- $values := .root.Values -}}
{{- $found := list -}}
{{- if and $values.kafka.tls.enabled $values.kafka.tls.caSecret -}}
{{- $found = append $found (dict "name" "kafka-ca" "secret" $values.kafka.tls.caSecret) -}}
{{- end -}}
{{- if and $values.kafka.tls.enabled $values.kafka.tls.clientSecret -}}
{{- $found = append $found (dict "name" "kafka-client" "secret" $values.kafka.tls.clientSecret) -}}
{{- end -}}
{{- if $values.kafka.sasl.enabled -}}
{{- $found = append $found (dict "name" "kafka-user" "secret" (include "maskstream.user" . | fromYaml).secret) -}}
{{- end -}}
{{- if and (eq .component "ingest") $values.secrets.credentials -}}
{{- $found = append $found (dict "name" "credentials" "secret" $values.secrets.credentials) -}}
{{- end -}}
{{- if and (eq .component "notify") $values.secrets.endpoints -}}
{{- $found = append $found (dict "name" "endpoints" "secret" $values.secrets.endpoints) -}}
{{- end -}}
{{- if and (eq .component "notify" "web") $values.secrets.evidence -}}
{{- $found = append $found (dict "name" "evidence" "secret" $values.secrets.evidence) -}}
{{- end -}}
{{- if eq .component "web" -}}
{{- $found = append $found (dict "name" "web" "secret" $values.web.token.secret) -}}
{{- end -}}
{{- toJson $found -}}
{{- end -}}

{{- define "maskstream.mounts" -}}
- {name: config, mountPath: /etc/maskstream, readOnly: true}
- {name: tmp, mountPath: /tmp}
{{- range include "maskstream.secrets" . | fromJsonArray }}
- {name: {{ .name }}, mountPath: /run/secrets/{{ .name }}, readOnly: true}
{{- end }}
{{- if include "maskstream.modelVolume" . }}
- {name: models, mountPath: /models, readOnly: true}
{{- end }}
{{- with include "maskstream.claims" . | fromJsonArray }}
{{- range . }}
- {name: {{ .name }}, mountPath: {{ .path }}, readOnly: {{ .readOnly }}}
{{- end }}
{{- end }}
{{- end -}}

{{- define "maskstream.volumes" -}}
- name: config
  configMap: {name: {{ include "maskstream.fullname" .root }}-{{ .component }}}
- name: tmp
  emptyDir: {sizeLimit: 1Gi}
{{- range include "maskstream.secrets" . | fromJsonArray }}
- name: {{ .name }}
  secret: {secretName: {{ .secret }}, defaultMode: 0440}
{{- end }}
{{- with include "maskstream.modelVolume" . }}
{{ . }}
{{- end }}
{{- range include "maskstream.claims" . | fromJsonArray }}
- name: {{ .name }}
  persistentVolumeClaim: {claimName: {{ .claim }}, readOnly: {{ .readOnly }}}
{{- end }}
{{- end -}}

{{- /* Claims for files of cameras and of evidence. */ -}}
{{- define "maskstream.claims" -}}
{{- $values := .root.Values -}}
{{- $given := include "maskstream.given" .root | fromYaml -}}
{{- $found := list -}}
{{- if and (eq .component "ingest") $values.ingest.filesClaim -}}
{{- $found = append $found (dict "name" "files" "claim" $values.ingest.filesClaim "path" (dig "allowed" "folder" "" $given) "readOnly" true) -}}
{{- end -}}
{{- if and (eq .component "notify" "web") $values.notify.evidenceClaim -}}
{{- $found = append $found (dict "name" "store" "claim" $values.notify.evidenceClaim "path" (dig "evidence" "store" "" $given) "readOnly" (eq .component "web")) -}}
{{- end -}}
{{- toJson $found -}}
{{- end -}}

{{- /* The volume that an artefact lies in, where the image of the role does not have it. */ -}}
{{- define "maskstream.modelVolume" -}}
{{- with .artefact -}}
{{- if .pvc.claimName -}}
- name: models
  persistentVolumeClaim: {claimName: {{ .pvc.claimName }}, readOnly: true}
{{- else if .image.reference -}}
- name: models
  emptyDir: {}
{{- end -}}
{{- end -}}
{{- end -}}

{{- /* Copies an artefact out of its image; what a copy that was cut off has left is written over. */ -}}
{{- define "maskstream.fetch" -}}
{{- if and .artefact (dig "image" "reference" "" .artefact) (not (dig "pvc" "claimName" "" .artefact)) -}}
- name: artefact
  image: {{ .artefact.image.reference }}
  imagePullPolicy: {{ .artefact.image.pullPolicy }}
  command: [cp, -Rf, {{ printf "%s/." (trimSuffix "/" .artefact.image.path) | quote }}, /models/artefact]
  resources: {requests: {cpu: 100m, memory: 64Mi}, limits: {memory: 256Mi}}
  {{- include "maskstream.confined" . | nindent 2 }}
  volumeMounts:
    - {name: models, mountPath: /models}
{{- end -}}
{{- end -}}
