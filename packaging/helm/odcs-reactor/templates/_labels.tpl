{{- define "odcs-reactor.labels" -}}
app.kubernetes.io/name: odcs-reactor
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}
