{{- /* PromQL. Where nothing is known a query has no sample, and KEDA keeps the pods that there are; where
ingest is scraped and has no camera, it is 0. */ -}}

{{- /* Frames a second that live cameras offer: those that have conditions. */ -}}
{{- define "maskstream.offered" -}}
{{- $pods := include "maskstream.pods" (dict "root" .root "component" "ingest") -}}
sum(
  sum by (camera) (rate(maskstream_frames_offered_total{ {{- $pods -}} }[{{ .root.Values.segment.scaling.rateWindow }}]))
  and on (camera)
  maskstream_camera_condition{ {{- $pods }}, condition="lost"}
)
or
sum(maskstream_build_info{ {{- $pods -}} }) * 0
{{- end -}}

{{- /* Frames a second that a segment is able to do, in the mean of those that have told. */ -}}
{{- define "maskstream.capacity" -}}
avg(maskstream_capacity_frames_per_second{ {{- include "maskstream.pods" (dict "root" .root "component" "segment") -}} } > 0)
{{- end -}}

{{- define "maskstream.segmentReplicas" -}}
ceil(
  (
{{ include "maskstream.offered" . | indent 4 }}
  )
  / ({{ .root.Values.segment.scaling.targetLoad }} * {{ include "maskstream.capacity" . }})
)
{{- end -}}

{{- /* The same, of where the rate is heading. */ -}}
{{- define "maskstream.segmentAhead" -}}
{{- $predict := .root.Values.segment.scaling.predict -}}
ceil(
  clamp_min(predict_linear((
{{ include "maskstream.offered" . | indent 4 }}
  )[{{ $predict.window }}:30s], {{ include "maskstream.seconds" $predict.ahead }}), 0)
  / ({{ .root.Values.segment.scaling.targetLoad }} * {{ include "maskstream.capacity" . }})
)
{{- end -}}

{{- /* Cameras that are to be read, by how many a pod is meant for. */ -}}
{{- define "maskstream.ingestReplicas" -}}
{{- $pods := include "maskstream.pods" (dict "root" .root "component" "ingest") -}}
ceil(
  (
    count(sum by (camera) (maskstream_camera_state{ {{- $pods }}, state!="ended"}) > 0)
    or
    sum(maskstream_build_info{ {{- $pods -}} }) * 0
  )
  / {{ .root.Values.ingest.scaling.camerasPerPod }}
)
{{- end -}}

{{- /* How long the oldest alert waits, by what is meant; of endpoints that took one within ten minutes, as
no pod helps against one that takes nothing. */ -}}
{{- define "maskstream.notifyReplicas" -}}
{{- $pods := include "maskstream.pods" (dict "root" .root "component" "notify") -}}
(
  max(
    max by (endpoint) (maskstream_deliveries_oldest_seconds{ {{- $pods -}} })
    and on (endpoint)
    sum by (endpoint) (increase(maskstream_deliveries_total{ {{- $pods }}, outcome="delivered"}[10m])) > 0
  )
  or
  sum(maskstream_build_info{ {{- $pods -}} }) * 0
)
/ {{ include "maskstream.seconds" .root.Values.notify.scaling.oldest }}
{{- end -}}
