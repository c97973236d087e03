package main

import "time"

// world is what the caches of a running operator would hold.
type world struct {
	Platforms   []platform   `json:"platforms"`
	Generations []generation `json:"generations"`
	Nodes       []member     `json:"nodes"`
}

type platform struct {
	Name string `json:"name"`
	Live struct {
		Name string    `json:"name"`
		UID  string    `json:"uid"`
		Time time.Time `json:"time"`
	} `json:"live"`
	Protected []string `json:"protected"`
	// Percent of a generation's machines that may be out within Window.
	Percent int    `json:"percent"`
	Window  string `json:"window"`
}

type generation struct {
	Name       string `json:"name"`
	UID        string `json:"uid"`
	Platform   string `json:"platform"`
	Machines   int    `json:"machines"`
	ReservedBy string `json:"reservedBy"`
	LiveTime   string `json:"liveTime"`
	Retired    bool   `json:"retired"`
}

type member struct {
	Name          string            `json:"name"`
	Labels        map[string]string `json:"labels"`
	Ready         bool              `json:"ready"`
	Unschedulable bool              `json:"unschedulable"`
}

// tally is what is known of the Nodes of one generation.
type tally struct {
	registered map[string]struct{}
	out        map[string]struct{}
	wentOut    map[string]time.Time
}
