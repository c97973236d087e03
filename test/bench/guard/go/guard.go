package main

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	admissionv1 "k8s.io/api/admission/v1"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/webhook/admission"
)

const (
	generationLabel  = "generations.dev/generation"
	generationUID    = "generations.dev/generation-uid"
	maintenance      = "generations.dev/maintenance"
	namesInMessage   = 5
	leastMachinesOut = 1
)

// guard makes the check that src/guard/webhook makes of an UPDATE of a Node: may this one go out of service, or has the
// generation that it belongs to lost as many machines within the window as its platform allows?
type guard struct {
	decoder     admission.Decoder
	lock        sync.RWMutex
	platforms   map[string]platform
	generations map[string]generation
	tallies     map[string]*tally
}

func newGuard(described world, decoder admission.Decoder) *guard {
	g := &guard{
		decoder:     decoder,
		platforms:   map[string]platform{},
		generations: map[string]generation{},
		tallies:     map[string]*tally{},
	}
	for _, one := range described.Platforms {
		g.platforms[one.Name] = one
	}
	for _, one := range described.Generations {
		g.generations[one.Name] = one
		g.tallies[one.UID] = &tally{map[string]struct{}{}, map[string]struct{}{}, map[string]time.Time{}}
	}
	for _, node := range described.Nodes {
		books := g.tallies[node.Labels[generationUID]]
		books.registered[node.Name] = struct{}{}
		if !node.Ready || node.Unschedulable {
			books.out[node.Name] = struct{}{}
		}
		if node.Unschedulable {
			books.wentOut[node.Name] = time.Now()
		}
	}
	return g
}

func (g *guard) Handle(ctx context.Context, request admission.Request) admission.Response {
	if request.Operation != admissionv1.Update || request.Resource.Resource != "nodes" {
		return admission.Allowed("")
	}
	var before, after corev1.Node
	if err := g.decoder.DecodeRaw(request.OldObject, &before); err != nil {
		return admission.Errored(http.StatusBadRequest, err)
	}
	if err := g.decoder.Decode(request, &after); err != nil {
		return admission.Errored(http.StatusBadRequest, err)
	}
	asked := after.Annotations[maintenance]
	cordoned := !before.Spec.Unschedulable && after.Spec.Unschedulable
	annotated := asked != "" && asked != before.Annotations[maintenance]
	if !cordoned && !annotated {
		return admission.Allowed("")
	}
	g.lock.RLock()
	defer g.lock.RUnlock()
	of, ok := g.generations[before.Labels[generationLabel]]
	if !ok || before.Labels[generationUID] != of.UID {
		return admission.Allowed("")
	}
	on, hold := g.platforms[of.Platform], ""
	if hold = holdOf(of, on); hold == "" {
		return admission.Allowed("")
	}
	if annotated && asked != before.Name && !cordoned {
		return admission.Allowed("").WithWarnings(fmt.Sprintf("%s of Node %s is %q: it permits nothing", maintenance, before.Name, asked))
	}
	if !isReady(before) || before.Spec.Unschedulable {
		return admission.Allowed("")
	}
	answer := g.takingOut(before.Name, of, on, hold)
	if !answer.Allowed {
		// As ours does.
		log.FromContext(ctx).Info("Refused", "user", request.UserInfo.Username, "message", answer.Result.Message)
	}
	return answer
}

// takingOut counts what is out now, and lets one more go if the platform allows it.
func (g *guard) takingOut(node string, of generation, on platform, hold string) admission.Response {
	window, err := time.ParseDuration(on.Window)
	if err != nil {
		return admission.Errored(http.StatusInternalServerError, err)
	}
	books, since := g.tallies[of.UID], time.Now().Add(-window)
	counted := maps.Clone(books.out)
	for name, at := range books.wentOut {
		if at.After(since) {
			counted[name] = struct{}{}
		}
	}
	gone := 0
	for name := range counted {
		if _, ok := books.registered[name]; !ok {
			gone++
		}
	}
	missing := max(0, of.Machines-len(books.registered)-gone)
	limit := max(leastMachinesOut, of.Machines*on.Percent/100)
	used := len(counted) + missing
	if _, ok := counted[node]; ok || used < limit {
		return admission.Allowed("")
	}
	names := slices.Sorted(maps.Keys(counted))
	if len(names) > namesInMessage {
		names = append(names[:namesInMessage:namesInMessage], fmt.Sprintf("%d more", len(names)-namesInMessage))
	}
	return admission.Denied(fmt.Sprintf(
		"Node %s cannot be cordoned: the blast radius of %s is used up (%s). %d of its %d machines may be out within %s (%d%%), and %d count now: %s",
		node, of.Name, hold, limit, of.Machines, on.Window, on.Percent, used, strings.Join(names, ", ")))
}

// holdOf says why a generation may not lose machines; "" when it may.
func holdOf(of generation, on platform) string {
	switch {
	case on.Live.Name == of.Name || on.Live.UID == of.UID:
		return fmt.Sprintf("%s is the live generation of Platform %s since %s", of.Name, on.Name, on.Live.Time.Format(time.RFC3339))
	case of.ReservedBy != "":
		return fmt.Sprintf("%s is reserved by Cutover %s", of.Name, of.ReservedBy)
	case of.LiveTime != "" && !of.Retired:
		return fmt.Sprintf("%s has been live since %s and no Cutover has retired it", of.Name, of.LiveTime)
	case slices.Contains(on.Protected, of.Name):
		return fmt.Sprintf("%s is in status.protected of Platform %s", of.Name, on.Name)
	}
	return ""
}

func isReady(node corev1.Node) bool {
	return slices.ContainsFunc(node.Status.Conditions, func(condition corev1.NodeCondition) bool {
		return condition.Type == corev1.NodeReady && condition.Status == corev1.ConditionTrue
	})
}
