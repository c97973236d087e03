{{- define "labels" -}}
app.kubernetes.io/name: cluster-generations
app.kubernetes.io/component: operator
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
{{- end }}

{{- define "selector" -}}
app.kubernetes.io/name: cluster-generations
app.kubernetes.io/component: operator
{{- end }}

{{- /* The policies know the operator by its namespace and service account. */}}
{{- define "namespace" -}}
{{- if ne .Release.Namespace "generations-system" -}}
{{- fail (printf "cluster-generations is installed in the namespace generations-system, not in %s: add --namespace generations-system --create-namespace" .Release.Namespace) -}}
{{- end -}}
generations-system
{{- end }}

{{- define "image" -}}
{{- required "image is required: name the operator's image, for example --set image=registry.example.com/cluster-generations:0.1.0" .Values.image -}}
{{- end }}
