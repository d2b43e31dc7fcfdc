{{- /* What a schema cannot say: each fault of the values as `value: given …; allowed: …`, as JSON. */ -}}
{{- define "maskstream.faults" -}}
{{- concat
  (include "maskstream.siteFaults" . | fromJsonArray)
  (include "maskstream.modelFaults" . | fromJsonArray)
  (include "maskstream.memberFaults" . | fromJsonArray)
  (include "maskstream.configFaults" . | fromJsonArray)
  (include "maskstream.fileFaults" . | fromJsonArray)
  | toJson -}}
{{- end -}}

{{- /* Kafka, Prometheus, the page. */ -}}
{{- define "maskstream.siteFaults" -}}
{{- $values := .Values -}}
{{- $faults := list -}}
{{- $name := include "maskstream.fullname" . -}}
{{- if gt (len $name) 36 -}}
{{- $faults = append $faults (printf "fullnameOverride: given %s, or the release's name, of %d characters; allowed: at most 36" $name (len $name)) -}}
{{- end -}}
{{- if not (regexMatch "^[a-z]([a-z0-9-]*[a-z0-9])?$" $name) -}}
{{- $faults = append $faults (printf "fullnameOverride: given %s, or the release's name; allowed: a letter, then a-z, 0-9 and -, as Services are named so" $name) -}}
{{- end -}}
{{- if not $values.kafka.brokers -}}
{{- $faults = append $faults "kafka.brokers: given none; allowed: a list of host:port, as [kafka.kafka.svc:9092]; the chart brings no broker" -}}
{{- end -}}
{{- if and $values.scaling.enabled (not $values.scaling.prometheus.url) -}}
{{- $faults = append $faults "scaling.prometheus.url: given none; allowed: where Prometheus is asked, as http://prometheus.monitoring:9090, or scaling.enabled=false" -}}
{{- end -}}
{{- if and $values.scaling.prometheus.authModes (not $values.scaling.prometheus.authenticationRef.name) -}}
{{- $faults = append $faults (printf "scaling.prometheus.authenticationRef: given none; allowed: {name: …} of the TriggerAuthentication that has what authModes, %s, asks for" $values.scaling.prometheus.authModes) -}}
{{- end -}}
{{- if and $values.web.enabled (not $values.web.token.secret) -}}
{{- $faults = append $faults "web.token.secret: given none; allowed: the name of a Secret with a token of at least 24 characters, or web.enabled=false" -}}
{{- end -}}
{{- if and $values.web.ingress.enabled (not $values.web.ingress.host) -}}
{{- $faults = append $faults "web.ingress.host: given none; allowed: the name under which the page is reached, or web.ingress.enabled=false" -}}
{{- end -}}
{{- if $values.kafka.sasl.enabled -}}
{{- range $component := include "maskstream.logins" . | fromJsonArray -}}
{{- if not (or (hasKey $values.kafka.sasl.users $component) (hasKey $values.kafka.sasl.users "default")) -}}
{{- $faults = append $faults (printf "kafka.sasl.users: given none for %s; allowed: %s or default, as {username: maskstream, secret: kafka-user}" $component $component) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- $window := include "maskstream.seconds" $values.segment.scaling.rateWindow | float64 -}}
{{- $interval := include "maskstream.seconds" $values.monitoring.serviceMonitors.interval | float64 -}}
{{- if lt $window (mulf 3 $interval) -}}
{{- $faults = append $faults (printf "segment.scaling.rateWindow: given %s; allowed: at least three times monitoring.serviceMonitors.interval, which is %s" $values.segment.scaling.rateWindow $values.monitoring.serviceMonitors.interval) -}}
{{- end -}}
{{- toJson $faults -}}
{{- end -}}

{{- /* Who logs in to Kafka. */ -}}
{{- define "maskstream.logins" -}}
{{- $logins := append (include "maskstream.components" . | fromJsonArray) "topics" -}}
{{- if .Values.scaling.enabled -}}
{{- $logins = append $logins "keda" -}}
{{- end -}}
{{- if .Values.cameras -}}
{{- $logins = append $logins "cameras" -}}
{{- end -}}
{{- toJson $logins -}}
{{- end -}}

{{- /* Where models are. */ -}}
{{- define "maskstream.modelFaults" -}}
{{- $faults := list -}}
{{- $models := dict -}}
{{- if or .Values.shadow.enabled .Values.shadow.promote -}}
{{- $_ := set $models "shadow" .Values.shadow -}}
{{- end -}}
{{- if not .Values.shadow.promote -}}
{{- $_ := set $models "model" .Values.model -}}
{{- end -}}
{{- range $name, $model := $models -}}
{{- $given := list -}}
{{- range $kind, $value := dict "pvc.claimName" $model.artefact.pvc.claimName "image.reference" $model.artefact.image.reference "path" $model.artefact.path -}}
{{- if $value -}}
{{- $given = append $given $kind -}}
{{- end -}}
{{- end -}}
{{- if ne (len $given) 1 -}}
{{- $faults = append $faults (printf "%s.artefact: given %s; allowed: exactly one of pvc.claimName, image.reference and path" $name (join " and " (sortAlpha $given) | default "none")) -}}
{{- end -}}
{{- end -}}
{{- toJson $faults -}}
{{- end -}}

{{- /* Members of groups: there is work for as many as there are partitions. */ -}}
{{- define "maskstream.memberFaults" -}}
{{- $faults := list -}}
{{- $values := .Values -}}
{{- range $name := list "ingest" "segment" "segmentArchive" "watch" "notify" -}}
{{- $role := get $values $name -}}
{{- $scaling := $role.scaling -}}
{{- if gt (int $scaling.minReplicas) (int $scaling.maxReplicas) -}}
{{- $faults = append $faults (printf "%s.scaling.minReplicas: given %d; allowed: at most maxReplicas, which is %d" $name (int $scaling.minReplicas) (int $scaling.maxReplicas)) -}}
{{- end -}}
{{- $key := ternary "scaling.maxReplicas" "replicas" $values.scaling.enabled -}}
{{- $most := int (ternary $scaling.maxReplicas $role.replicas $values.scaling.enabled) -}}
{{- $workers := int ($role.workers | default 1) -}}
{{- if gt (mul $most $workers) (int $values.kafka.partitions) -}}
{{- $of := ternary (printf " of %d workers" $workers) "" (gt $workers 1) -}}
{{- $faults = append $faults (printf "%s.%s: given %d%s; allowed: at most %d, as kafka.partitions is %d and a member without a partition has nothing to do" $name $key $most $of (div (int $values.kafka.partitions) $workers) (int $values.kafka.partitions)) -}}
{{- end -}}
{{- end -}}
{{- $members := mul (int $values.shadow.replicas) (int $values.shadow.workers) -}}
{{- if and $values.shadow.enabled (gt $members (int $values.kafka.partitions)) -}}
{{- $faults = append $faults (printf "shadow.replicas: given %d of %d workers; allowed: at most %d, as kafka.partitions is %d" (int $values.shadow.replicas) (int $values.shadow.workers) (div (int $values.kafka.partitions) (int $values.shadow.workers)) (int $values.kafka.partitions)) -}}
{{- end -}}
{{- toJson $faults -}}
{{- end -}}

{{- /* What `config` may not say here. */ -}}
{{- define "maskstream.configFaults" -}}
{{- $faults := list -}}
{{- $elsewhere := dict
  "transport" "kafka.brokers" "kafka" "kafka" "model" "model.settings" "shadow" "shadow"
  "cameras" "cameras" "credentials" "secrets.credentials" "web" "web"
  "health" "none, as probes need it" "outputs" "none, as results are on topics"
-}}
{{- range $key, $value := $elsewhere -}}
{{- if hasKey $.Values.config $key -}}
{{- $faults = append $faults (printf "config.%s: given a section that the chart writes; allowed in its place: %s" $key $value) -}}
{{- end -}}
{{- end -}}
{{- range $index, $endpoint := .Values.config.endpoints -}}
{{- range $key := list "secret" "previous_secret" -}}
{{- $source := get $endpoint $key | default dict -}}
{{- if not (kindIs "map" $source) -}}
{{- $faults = append $faults (printf "config.endpoints[%d].%s: given a plain text; allowed: {file: /run/secrets/endpoints/KEY}, with the Secret in secrets.endpoints" $index $key) -}}
{{- else if or (hasKey $source "env") (not (hasPrefix "/run/secrets/endpoints/" (get $source "file" | default "/run/secrets/endpoints/"))) -}}
{{- $faults = append $faults (printf "config.endpoints[%d].%s: given %s; allowed: {file: /run/secrets/endpoints/KEY}, with the Secret in secrets.endpoints" $index $key (toJson $source)) -}}
{{- else if and $source (not $.Values.secrets.endpoints) -}}
{{- $faults = append $faults (printf "secrets.endpoints: given none; allowed: the name of the Secret that config.endpoints[%d].%s is in" $index $key) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- toJson $faults -}}
{{- end -}}

{{- /* Files that pods read and write. */ -}}
{{- define "maskstream.fileFaults" -}}
{{- $faults := list -}}
{{- $given := include "maskstream.given" . | fromYaml -}}
{{- $folder := dig "allowed" "folder" "" $given -}}
{{- $store := dig "evidence" "store" "" $given -}}
{{- if and .Values.ingest.filesClaim (not (hasPrefix "/" $folder)) -}}
{{- $faults = append $faults (printf "config.allowed.folder: given %s; allowed: the absolute path at which ingest.filesClaim is mounted" ($folder | default "none")) -}}
{{- end -}}
{{- range $index, $camera := .Values.cameras -}}
{{- $url := toString (get $camera "url" | default "rtsp:") -}}
{{- $isFile := or (hasPrefix "file:" $url) (not (regexMatch "^[A-Za-z][A-Za-z0-9+.-]*:" $url)) -}}
{{- if and $isFile (not $folder) -}}
{{- $faults = append $faults (printf "config.allowed.folder: given none; allowed: the folder that cameras[%d].url, %s, lies under" $index $url) -}}
{{- end -}}
{{- end -}}
{{- if and .Values.notify.evidenceClaim (not (hasPrefix "/" $store)) -}}
{{- $faults = append $faults (printf "config.evidence.store: given %s; allowed: the absolute path at which notify.evidenceClaim is mounted" ($store | default "none")) -}}
{{- end -}}
{{- if and $store (not (hasPrefix "s3://" $store)) (not .Values.notify.evidenceClaim) -}}
{{- $faults = append $faults (printf "notify.evidenceClaim: given none; allowed: a claim for config.evidence.store, %s, as nothing else in a pod stays" $store) -}}
{{- end -}}
{{- toJson $faults -}}
{{- end -}}
