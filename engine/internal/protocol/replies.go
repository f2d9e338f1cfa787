package protocol

// Status is the state of an execution.
type Status string

// The states of an execution, the whole set.
const (
	Running Status = "running"
	Frozen  Status = "frozen"
	Stopped Status = "stopped"
)

// Started answers boot and restore.
type Started struct {
	PID int `json:"pid"`
}

// Captured answers capture.
type Captured struct {
	Bytes int64 `json:"bytes"`
}

// Execution is one entry of a list.
type Execution struct {
	Execution string `json:"execution"`
	Status    Status `json:"status"`
	PID       int    `json:"pid"`
	Bundle    string `json:"bundle"`
}

// Executions answers list.
type Executions struct {
	Executions []Execution `json:"executions"`
}

// Stats answers stats.
type Stats struct {
	MemoryBytes    int64 `json:"memoryBytes"`
	DiskBytes      int64 `json:"diskBytes"`
	CPUNanoseconds int64 `json:"cpuNanoseconds"`
	Processes      int   `json:"processes"`
}

// Version answers version.
type Version struct {
	Version string `json:"version"`
	Runtime string `json:"runtime"`
	PID     int    `json:"pid"`
}

// EventType tells the lines of the event stream apart.
type EventType string

// The types of event, the whole set.
const (
	Ready     EventType = "ready"
	Exit      EventType = "exit"
	KeepAlive EventType = "keepalive"
)

// Event is one line of the event stream. Execution and Status belong to an exit.
type Event struct {
	Type      EventType `json:"type"`
	Execution string    `json:"execution,omitempty"`
	Status    *int      `json:"status,omitempty"`
}
