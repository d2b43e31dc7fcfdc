{{- /* The configuration of a component as YAML: (dict "root" $ "component" NAME). Each is given its own
sections only, so that a change of rules starts no segmenter anew. */ -}}
{{- define "maskstream.config" -}}
{{- $values := .root.Values -}}
{{- $config := include "maskstream.sections" . | fromYaml -}}
{{- $_ := set $config "transport" (printf "kafka://%s" (join "," $values.kafka.brokers)) -}}
{{- $_ := set $config "kafka" (include "maskstream.kafka" . | fromYaml) -}}
{{- $_ := set $config "health" (dict "host" "0.0.0.0" "port" 9090) -}}
{{- $model := include "maskstream.model" .root | fromYaml -}}
{{- $_ := set $config "model" (merge (dict "weights" (include "maskstream.weights" $model)) $model.settings) -}}
{{- if and (eq .component "ingest" "cameras") $values.secrets.credentials -}}
{{- $_ := set $config "credentials" "/run/secrets/credentials" -}}
{{- end -}}
{{- if eq .component "web" -}}
{{- $_ := set $config "web" (include "maskstream.web" .root | fromYaml) -}}
{{- end -}}
{{- if and (eq .component "shadow" "compare" "topics") (include "maskstream.hasShadow" .root) -}}
{{- $shadow := $values.shadow -}}
{{- $weights := include "maskstream.weights" $shadow -}}
{{- $_ := set $config "shadow" (merge (dict "name" $shadow.name "weights" $weights) $shadow.settings) -}}
{{- end -}}
{{- toYaml $config -}}
{{- end -}}

{{- /* Of `config`, what a component reads. `topics` runs first and is given all, so that a fault in any
section fails an upgrade before anything changes. */ -}}
{{- define "maskstream.sections" -}}
{{- $common := list "drain" "freshness" "pictures" "traces" -}}
{{- $alerts := list "zones" "rules" "endpoints" "evidence" -}}
{{- $of := dict
  "ingest" (list "allowed" "camera_health")
  "cameras" (list "allowed")
  "topics" (concat $alerts (list "allowed" "camera_health"))
  "watch" $alerts
  "notify" $alerts
  "web" $alerts
-}}
{{- $sections := dict -}}
{{- range concat $common (get $of .component | default list) -}}
{{- if hasKey $.root.Values.config . -}}
{{- $_ := set $sections . (get $.root.Values.config .) -}}
{{- end -}}
{{- end -}}
{{- toYaml $sections -}}
{{- end -}}

{{- /* The section `kafka` of a component. */ -}}
{{- define "maskstream.kafka" -}}
{{- $kafka := .root.Values.kafka -}}
prefix: {{ $kafka.prefix | quote }}
client_id: {{ $kafka.clientId | quote }}
partitions: {{ $kafka.partitions }}
replication: {{ $kafka.replication }}
{{- if and (eq .component "topics") $kafka.retention }}
retention: {{ toYaml $kafka.retention | nindent 2 }}
{{- end }}
{{- if $kafka.tls.enabled }}
tls:
  {{- if $kafka.tls.caSecret }}
  ca: /run/secrets/kafka-ca/ca.crt
  {{- end }}
  {{- if $kafka.tls.clientSecret }}
  certificate: /run/secrets/kafka-client/tls.crt
  key: /run/secrets/kafka-client/tls.key
  {{- end }}
  {{- if not (or $kafka.tls.caSecret $kafka.tls.clientSecret) }} {}
  {{- end }}
{{- end }}
{{- if $kafka.sasl.enabled }}
{{- $user := include "maskstream.user" . | fromYaml }}
sasl:
  mechanism: {{ $kafka.sasl.mechanism }}
  username: {{ $user.username | quote }}
  password: {file: {{ printf "/run/secrets/kafka-user/%s" $user.key | quote }}}
{{- end }}
{{- end -}}

{{- /* Who a component logs in as: its own user, or the default. The test looks at topics, as their job
does. */ -}}
{{- define "maskstream.user" -}}
{{- $users := .root.Values.kafka.sasl.users -}}
{{- $component := ternary "topics" .component (eq .component "test") -}}
{{- $user := get $users $component | default (get $users "default") -}}
{{- toYaml (merge (dict) ($user | default dict) (dict "key" "password")) -}}
{{- end -}}

{{- /* The section `web`. */ -}}
{{- define "maskstream.web" -}}
{{- $web := .Values.web -}}
{{- $name := printf "%s-web" (include "maskstream.fullname" .) -}}
{{- $hosts := list $name (printf "%s.%s" $name .Release.Namespace) (printf "%s.%s.svc" $name .Release.Namespace) -}}
{{- if $web.ingress.enabled -}}
{{- $hosts = append $hosts $web.ingress.host -}}
{{- end -}}
host: 0.0.0.0
port: 8080
token: {file: {{ printf "/run/secrets/web/%s" $web.token.key | quote }}}
hosts: {{ concat $hosts $web.hosts | uniq | toJson }}
segment: {{ $web.segment }}
{{- end -}}

{{- /* The model that segments: that of the shadow once it is promoted. */ -}}
{{- define "maskstream.model" -}}
{{- ternary .Values.shadow .Values.model .Values.shadow.promote | toYaml -}}
{{- end -}}

{{- /* Where an artefact is in a pod. */ -}}
{{- define "maskstream.weights" -}}
{{- $artefact := .artefact -}}
{{- if $artefact.pvc.claimName -}}
{{- printf "/models/%s" $artefact.pvc.path | trimSuffix "/" -}}
{{- else if $artefact.image.reference -}}
/models/artefact
{{- else -}}
{{- $artefact.path -}}
{{- end -}}
{{- end -}}

{{- /* Something where a shadow runs beside segment. */ -}}
{{- define "maskstream.hasShadow" -}}
{{- if and .Values.shadow.enabled (not .Values.shadow.promote) }}true{{ end -}}
{{- end -}}
