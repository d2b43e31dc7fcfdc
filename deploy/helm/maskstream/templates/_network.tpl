{{- /* Selects all pods of the release. */ -}}
{{- define "maskstream.own" -}}
matchLabels:
  app.kubernetes.io/name: maskstream
  app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- /* TCP ports of a policy. */ -}}
{{- define "maskstream.ports" -}}
{{- range . }}
- {port: {{ . }}, protocol: TCP}
{{- end }}
{{- end -}}

{{- define "maskstream.brokerPorts" -}}
{{- $ports := list -}}
{{- range .Values.kafka.brokers -}}
{{- $ports = append $ports (splitList ":" . | last | int) -}}
{{- end -}}
{{- include "maskstream.ports" (uniq $ports) -}}
{{- end -}}

{{- /* What everybody needs: DNS and Kafka, as entries of `egress`. */ -}}
{{- define "maskstream.toKafka" -}}
- ports: [{port: 53, protocol: UDP}, {port: 53, protocol: TCP}]
- ports: {{ include "maskstream.brokerPorts" . | nindent 4 }}
  {{- with .Values.networkPolicies.kafka }}
  to: {{ toYaml . | nindent 4 }}
  {{- end }}
{{- end -}}

{{- define "maskstream.networks" -}}
{{- range . }}
- ipBlock: {cidr: {{ . }}}
{{- end }}
{{- end -}}

{{- /* The port of a URL; empty for none. */ -}}
{{- define "maskstream.portOf" -}}
{{- if . -}}
{{- $host := (urlParse .).host -}}
{{- $port := regexFind ":[0-9]+$" $host | trimPrefix ":" -}}
{{- $port | default (ternary "443" "80" (hasPrefix "https" .)) -}}
{{- end -}}
{{- end -}}
