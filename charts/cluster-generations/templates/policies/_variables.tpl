{{- /*
Parts of policies that must read the same in several of them: two that stop the same act say the same, whichever answers first.

generation.own: why a ClusterGeneration cannot go, by its own status, and what to do instead; '' when nothing holds it.
No cache and no Platform stand between the object and this rule.
*/}}
{{- define "generation.own" -}}
- name: what
  expression: request.kind.kind + ' ' + oldObject.metadata.name
- name: since
  expression: "oldObject.?status.?liveTime.hasValue() ? string(oldObject.status.liveTime) : ''"
- name: keptForRollback
  expression: oldObject.?status.?stage.orValue('') == 'Retained' && !oldObject.?status.?reservedBy.hasValue()
- name: ownWhy
  expression: >-
    oldObject.?status.?override.hasValue() || oldObject.?status.?retiredTime.hasValue() ? '' :
    variables.since != '' && variables.keptForRollback ? 'it was live on Platform ' + oldObject.spec.platform + ' (since ' + variables.since + ') and its machines are kept for a rollback' :
    variables.since != '' && oldObject.?status.?stage.orValue('') != 'Retained' ? 'it is live and serves Platform ' + oldObject.spec.platform + ' since ' + variables.since :
    oldObject.?status.?reservedBy.hasValue() ? 'Cutover ' + oldObject.status.reservedBy.name + ' holds it, to make it live on Platform ' + oldObject.spec.platform :
    oldObject.spec.?adopt.orValue(false) && oldObject.?status.?machines.?registered.orValue(0) > 0 ? 'it has adopted machines that serve Platform ' + oldObject.spec.platform :
    ''
- name: ownHow
  expression: >-
    variables.since != '' && variables.keptForRollback ? (oldObject.?status.?retention.hasValue() ?
    'It is retired at ' + string(oldObject.status.retention.until) + ', or at once with spec.retireNow: true in Cutover ' + oldObject.status.retention.cutover.name + '; then it can be deleted' :
    'No Cutover has said yet how long (status.retention): kubectl get cutovers shows which one is about to') :
    variables.since != '' && oldObject.?status.?stage.orValue('') != 'Retained' ? 'To retire it, apply a Cutover of Platform ' + oldObject.spec.platform + ' from it to another generation and wait for its status.retiredTime; then it can be deleted' :
    oldObject.?status.?reservedBy.hasValue() ? 'Abort that Cutover first (spec.abort: true)' :
    'To retire it, apply a Cutover of Platform ' + oldObject.spec.platform + ' from it to another generation'
{{- end }}

{{- /*
meant: the generation that the caller probably took this one for. In: an expression for a list of names of generations that never were live.
*/}}
{{- define "meant" -}}
- name: neverLive
  expression: {{ . | quote }}
- name: meant
  expression: >-
    variables.neverLive.size() == 0 ? 'If you meant a generation that never was live: kubectl get cg shows those as Planned, Provisioning or Staged, and they can be deleted at any time' :
    variables.neverLive.size() == 1 ? 'If you meant ' + variables.neverLive[0] + ', which never was live: kubectl delete cg ' + variables.neverLive[0] :
    'If you meant ' + variables.neverLive.filter(n, variables.neverLive.indexOf(n) < 3).join(' or ') + ', which never were live: kubectl delete cg and its name'
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
held.rules: what cannot be done to a ClusterGeneration or GenerationPool that is held, whoever asks; generation.rules: to a
ClusterGeneration besides.
*/}}
{{- define "held.rules" -}}
# kubectl delete, --all, deletecollection, replace --force, prune, an owner's cascade.
- expression: request.operation != 'DELETE' || !variables.held
  reason: Forbidden
  messageExpression: "variables.what + ' cannot be deleted: ' + variables.why + '. ' + variables.how + '. ' + variables.meant"
# Removing the last finalizer of a terminating object deletes it without asking the rule above.
- expression: request.operation != 'UPDATE' || !variables.held || variables.finalizersKept
  reason: Forbidden
  messageExpression: "'Finalizers of ' + variables.what + ' cannot be removed: ' + variables.why + '. ' + variables.how"
# An owner that does not exist is a delayed delete by the garbage collector; another generation as owner is an adoption.
- expression: request.operation != 'UPDATE' || !variables.held || variables.ownersKept
  reason: Forbidden
  messageExpression: "variables.what + ' cannot be given an owner: ' + variables.why + ', and the garbage collector would delete it with its owner. Leave metadata.ownerReferences as it is'"
{{- end }}

{{- define "generation.rules" -}}
# Labels are how everything else finds what belongs to it. Those of pools never change (state.yaml).
- expression: request.operation != 'UPDATE' || !variables.held || request.resource.resource != 'clustergenerations' || variables.labelsKept
  reason: Forbidden
  messageExpression: "'Labels generations.dev/ of ' + variables.what + ' cannot be changed: ' + variables.why + '. Leave them as they are'"
# Fewer machines in spec.pools, or a pool that is left out: the operator would remove what is live.
- expression: >-
    request.operation != 'UPDATE' || !variables.held || request.resource.resource != 'clustergenerations'
    || oldObject.spec.pools.all(o, object.spec.pools.exists(n, n.name == o.name && n.machines >= o.machines))
  reason: Forbidden
  messageExpression: "'Pools of ' + variables.what + ' may grow but neither shrink nor go: ' + variables.why + '. ' + variables.how + '. ' + variables.meant"
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
part.why: why a pool or Node cannot go, and what to do instead. Two policies say it, from a Platform and from a ClusterGeneration.
*/}}
{{- define "part.why" -}}
- name: partWhy
  expression: >-
    'it belongs to generation ' + variables.generation + (
    !variables.known ? ', and Platform ' + variables.platform + ' does not say yet which generations it protects (status.protected is missing: the operator has not seen it, or it was restored from a backup)' :
    variables.live ? ', which is live on Platform ' + variables.platform :
    ', which Platform ' + variables.platform + ' protects for a cutover or a rollback')
- name: partHow
  expression: >-
    !variables.known ? 'Start the operator and try again' :
    variables.live ? 'To retire it, apply a Cutover of Platform ' + variables.platform + ' from it to another generation' :
    'kubectl get cutovers shows which Cutover holds it: abort that one, or wait until it has retired the generation'
{{- end }}

{{- /*
generation.protects: whether a ClusterGeneration, as params, protects what belongs to it.
*/}}
{{- define "generation.protects" -}}
- name: known
  expression: "true"
- name: live
  expression: params.?status.?liveTime.hasValue() && params.?status.?stage.orValue('') != 'Retained'
- name: protects
  expression: >-
    !params.?status.?override.hasValue() && !params.?status.?retiredTime.hasValue()
    && (params.?status.?liveTime.hasValue() || params.?status.?reservedBy.hasValue()
    || (params.spec.?adopt.orValue(false) && params.?status.?machines.?registered.orValue(0) > 0))
{{- end }}

{{- /*
node.variables and node.rules: what cannot be done to the Node of a protected generation. `generation`, `known`, `live`, `held` and
`platform` are the policy's own. Kubelets and node controllers do their work, whatever is missing.
*/}}
{{- define "node.variables" -}}
{{ include "operator" . }}
{{ include "part.why" . }}
- name: what
  expression: "'Node ' + oldObject.metadata.name"
- name: nodeHow
  expression: "'To work on this machine alone: kubectl annotate node ' + oldObject.metadata.name + ' generations.dev/maintenance=' + oldObject.metadata.name + ', then drain it'"
- name: isNodeController
  expression: request.userInfo.username in {{ .Values.guard.nodeControllers | toJson | replace "\"" "'" }}
- name: isKubelet
  expression: "'system:nodes' in request.userInfo.?groups.orValue([])"
- name: ready
  expression: oldObject.?status.?conditions.orValue([]).exists(c, c.type == 'Ready' && c.status == 'True')
# Its value is the Node's own name, so that it cannot be set in bulk; set before, so that nothing is disabled in the same write.
- name: maintained
  expression: oldObject.metadata.?annotations[?'generations.dev/maintenance'].orValue('') == oldObject.metadata.name
# Another Node is Ready that names the same machine: written by the operator alone (labels.yaml), and taken back when that changes.
- name: stale
  expression: oldObject.metadata.?annotations[?'generations.dev/stale'].orValue('') != ''
- name: mayDisable
  expression: "!variables.held || !variables.ready || variables.maintained || (variables.isOperator && variables.known && !variables.live)"
{{- end }}

{{- define "node.rules" -}}
# kubectl delete node: its pods are evicted at once, its machine is an orphan. People never, sick or not, but in whose place the machine has another.
- expression: >-
    request.operation != 'DELETE' || !variables.held || (!variables.ready && (variables.isOperator || variables.isNodeController || variables.stale))
  reason: Forbidden
  messageExpression: >-
    variables.what + ' cannot be deleted: ' + variables.partWhy + '. ' + variables.partHow + '. ' + variables.nodeHow + '. ' + variables.meant
# kubectl cordon and drain.
- expression: >-
    request.operation != 'UPDATE' || variables.mayDisable
    || !object.?spec.?unschedulable.orValue(false) || oldObject.?spec.?unschedulable.orValue(false)
  reason: Forbidden
  messageExpression: "variables.what + ' cannot be cordoned: ' + variables.partWhy + '. ' + variables.nodeHow + '. ' + variables.meant"
# kubectl taint node ...:NoExecute evicts every pod without asking for evictions. Node controllers taint machines that do not answer.
- expression: >-
    request.operation != 'UPDATE' || variables.mayDisable || object.?spec.?taints.orValue([]).all(t, t.effect != 'NoExecute'
    || oldObject.?spec.?taints.orValue([]).exists(o, o.key == t.key && o.effect == t.effect && o.?value.orValue('') == t.?value.orValue(''))
    || (variables.isNodeController && (t.key.startsWith('node.kubernetes.io/') || t.key.startsWith('node.cloudprovider.kubernetes.io/'))))
  reason: Forbidden
  messageExpression: "variables.what + ' cannot be given a NoExecute taint: ' + variables.partWhy + '. ' + variables.nodeHow + '. ' + variables.meant"
# Marking it NotReady by hand: its pods would move away, and the controllers could delete it.
- expression: >-
    request.operation != 'UPDATE' || !variables.held || !variables.ready || variables.isKubelet || variables.isNodeController
    || object.?status.?conditions.orValue([]).exists(c, c.type == 'Ready' && c.status == 'True')
  reason: Forbidden
  messageExpression: >-
    variables.what + ' is marked not Ready by its kubelet and by node controllers only, not by ' + request.userInfo.username + ': ' + variables.partWhy + '. ' + variables.nodeHow + '. ' + variables.meant
{{- end }}
