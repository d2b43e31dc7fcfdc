{{- /* A ScaledObject: (dict "root" $ "component" NAME "values" VALUES "triggers" LIST). */ -}}
{{- define "maskstream.scaledObject" -}}
{{- $scaling := .root.Values.scaling -}}
apiVersion: keda.sh/v1alpha1
kind: ScaledObject
metadata: {{ include "maskstream.metadata" . | nindent 2 }}
spec:
  scaleTargetRef: {apiVersion: apps/v1, kind: StatefulSet, name: {{ include "maskstream.fullname" .root }}-{{ .component }}}
  minReplicaCount: {{ .values.scaling.minReplicas }}
  maxReplicaCount: {{ .values.scaling.maxReplicas }}
  pollingInterval: {{ $scaling.pollingInterval }}
  cooldownPeriod: {{ $scaling.scaleDown.stabilization }}
  fallback:
    failureThreshold: 3
    replicas: {{ max 1 (int .values.scaling.minReplicas) }}
    behavior: currentReplicasIfHigher
  advanced:
    horizontalPodAutoscalerConfig:
      behavior:
        scaleUp:
          stabilizationWindowSeconds: 0
          selectPolicy: Max
          policies:
            - {type: Percent, value: 100, periodSeconds: 15}
            - {type: Pods, value: {{ $scaling.scaleUp.pods }}, periodSeconds: 15}
        scaleDown:
          stabilizationWindowSeconds: {{ $scaling.scaleDown.stabilization }}
          policies:
            - {type: Pods, value: 1, periodSeconds: {{ $scaling.scaleDown.period }}}
  triggers: {{ toYaml .triggers | nindent 4 }}
{{- end -}}

{{- /* A trigger on a query that says how many pods there should be: (dict "root" $ "name" NAME "query" TEXT). */ -}}
{{- define "maskstream.asked" -}}
{{- $prometheus := .root.Values.scaling.prometheus -}}
type: prometheus
name: {{ .name }}
metricType: AverageValue
metadata:
  serverAddress: {{ $prometheus.url | quote }}
  query: {{ .query | quote }}
  threshold: "1"
  ignoreNullValues: "false"
  {{- with $prometheus.authModes }}
  authModes: {{ . | quote }}
  {{- end }}
{{- with $prometheus.authenticationRef }}
authenticationRef: {{ toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{- /* A trigger on the lag of a group: (dict "root" $ "name" NAME "group" ROLE "topic" TOPIC "lag" NUMBER). */ -}}
{{- define "maskstream.lag" -}}
{{- $kafka := .root.Values.kafka -}}
type: kafka
name: {{ .name }}
metricType: AverageValue
metadata:
  bootstrapServers: {{ join "," $kafka.brokers | quote }}
  consumerGroup: {{ printf "%s%s.%s" $kafka.prefix .group .topic | quote }}
  topic: {{ printf "%s%s" $kafka.prefix .topic | quote }}
  lagThreshold: {{ int64 .lag | quote }}
  offsetResetPolicy: earliest
  version: {{ .root.Values.scaling.kafkaVersion | quote }}
  {{- if $kafka.tls.enabled }}
  tls: enable
  {{- end }}
  {{- if $kafka.sasl.enabled }}
  sasl: {{ get (dict "PLAIN" "plaintext" "SCRAM-SHA-256" "scram_sha256" "SCRAM-SHA-512" "scram_sha512") $kafka.sasl.mechanism }}
  {{- end }}
{{- if or $kafka.sasl.enabled (and $kafka.tls.enabled (or $kafka.tls.caSecret $kafka.tls.clientSecret)) }}
authenticationRef: {name: {{ include "maskstream.fullname" .root }}-keda}
{{- end }}
{{- end -}}

{{- /* Selects series of a component's pods: (dict "root" $ "component" NAME). */ -}}
{{- define "maskstream.pods" -}}
{{- printf "namespace=%q, pod=~\"%s-%s-[0-9]+\"" .root.Release.Namespace (include "maskstream.fullname" .root) .component -}}
{{- end -}}
