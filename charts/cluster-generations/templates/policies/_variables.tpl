{{- /*
Parts of policies that must read the same in several of them.

generation.own: why a ClusterGeneration cannot go, by its own status, and what to do instead; '' when nothing holds it.
No cache and no Platform stand between the object and this rule.
*/}}
{{- define "generation.own" -}}
- name: what
  expression: "'ClusterGeneration ' + oldObject.metadata.name"
- name: since
  expression: "oldObject.?status.?liveTime.hasValue() ? string(oldObject.status.liveTime) : ''"
- name: ownWhy
  expression: >-
    oldObject.?status.?override.hasValue() || oldObject.?status.?retiredTime.hasValue() ? '' :
    variables.since != '' && oldObject.?status.?stage.orValue('') == 'Retained' && !oldObject.?status.?reservedBy.hasValue() ? 'it was live on Platform ' + oldObject.spec.platform + ' (since ' + variables.since + ') and its machines are kept for a rollback' :
    variables.since != '' && oldObject.?status.?stage.orValue('') != 'Retained' ? 'it is live and serves Platform ' + oldObject.spec.platform + ' since ' + variables.since :
    oldObject.?status.?reservedBy.hasValue() ? 'Cutover ' + oldObject.status.reservedBy.name + ' holds it, to make it live on Platform ' + oldObject.spec.platform :
    oldObject.spec.?adopt.orValue(false) && oldObject.?status.?machines.?registered.orValue(0) > 0 ? 'it has adopted machines that serve Platform ' + oldObject.spec.platform :
    ''
- name: ownHow
  expression: >-
    variables.since != '' && oldObject.?status.?stage.orValue('') == 'Retained' && !oldObject.?status.?reservedBy.hasValue() ? 'The Cutover that replaced it retires it when its status.retainUntil has passed, or at once with spec.retireNow: true; then it can be deleted' :
    variables.since != '' && oldObject.?status.?stage.orValue('') != 'Retained' ? 'To retire it, apply a Cutover of Platform ' + oldObject.spec.platform + ' from it to another generation and wait for its status.retiredTime; then it can be deleted' :
    oldObject.?status.?reservedBy.hasValue() ? 'Abort that Cutover first (spec.abort: true)' :
    'To retire it, apply a Cutover of Platform ' + oldObject.spec.platform + ' from it to another generation'
- name: others
  expression: "'If you meant a generation that never was live: kubectl get cg shows those as Planned, Provisioning or Staged, and they can be deleted at any time'"
{{- end }}

{{- /*
metadata.changes: what an UPDATE does to metadata that others rely on.
*/}}
{{- define "metadata.changes" -}}
- name: finalizersKept
  expression: oldObject.metadata.?finalizers.orValue([]).all(f, f in object.metadata.?finalizers.orValue([]))
- name: ownersKept
  expression: object.metadata.?ownerReferences.orValue([]).all(r, oldObject.metadata.?ownerReferences.orValue([]).exists(o, o.uid == r.uid))
- name: newLabels
  expression: object.metadata.?labels.orValue({})
- name: oldLabels
  expression: oldObject.metadata.?labels.orValue({})
- name: labelsKept
  expression: variables.oldLabels.all(k, !k.startsWith('generations.dev/') || variables.newLabels[?k].orValue('') == variables.oldLabels[k])
{{- end }}

{{- /*
operator: the operator's own token. The credential id is set by the token authenticator: kubectl --as=... has none.
*/}}
{{- define "operator" -}}
- name: isOperator
  expression: >-
    request.userInfo.username == 'system:serviceaccount:generations-system:generations-operator'
    && 'authentication.kubernetes.io/credential-id' in request.userInfo.?extra.orValue({})
{{- end }}

{{- /*
part.why: why a pool or Node cannot go. Two policies say it, from a Platform and from a ClusterGeneration, in the same words.
*/}}
{{- define "part.why" -}}
- name: why
  expression: >-
    'it belongs to generation ' + variables.generation + (
    !variables.known ? ', and Platform ' + params.metadata.name + ' does not say yet which generations it protects (status.protected is missing: the operator has not seen it, or it was restored from a backup). Start the operator and try again' :
    variables.live ? ', which is live on Platform ' + params.metadata.name + '. To retire it, apply a Cutover from it to another generation. Generations that never were live can be deleted at any time: kubectl get cg shows those as Planned, Provisioning or Staged' :
    ', which Platform ' + params.metadata.name + ' protects for a cutover or a rollback. kubectl get cutovers shows which Cutover holds it: abort that one, or wait until it has retired the generation')
{{- end }}

{{- /*
node.actor: who deletes the Nodes of machines that are gone.
*/}}
{{- define "node.actor" -}}
{{ include "operator" . }}
- name: ready
  expression: oldObject.?status.?conditions.orValue([]).exists(c, c.type == 'Ready' && c.status == 'True')
- name: clearsAway
  expression: >-
    !variables.ready && (variables.isOperator || request.userInfo.username in {{ .Values.guard.nodeControllers | toJson | replace "\"" "'" }})
- name: instead
  expression: >-
    '. A Node goes when its machine is gone: the cloud controller deletes it then. To work on this machine: kubectl annotate node '
    + oldObject.metadata.name + ' generations.dev/maintenance=' + oldObject.metadata.name + ', then drain it'
{{- end }}
