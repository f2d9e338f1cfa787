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

// Captured answers capture and captureFiles.
type Captured struct {
	Bytes int64 `json:"bytes"`
	// Extents is in how many pieces the largest file of the image lies.
	Extents int64 `json:"extents"`
}

// Prefetched answers prefetch: what was read from the disk.
type Prefetched struct {
	Bytes int64 `json:"bytes"`
}

// Taken answers space.
type Taken struct {
	Bytes          int64 `json:"bytes"`
	AllocatedBytes int64 `json:"allocatedBytes"`
	SharedBytes    int64 `json:"sharedBytes"`
	// Extents is in how many pieces the largest file lies.
	Extents int64 `json:"extents"`
}

// Compacted answers compact: what was written.
type Compacted struct {
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
	// Methods are the names of all that this host serves.
	Methods []string `json:"methods"`
}

// EventType tells the lines of the event stream apart.
type EventType string

// The types of event, the whole set.
const (
	Ready     EventType = "ready"
	Exit      EventType = "exit"
	Memory    EventType = "memory"
	KeepAlive EventType = "keepalive"
)

// Event is one line of the event stream. Status belongs to an exit, the bytes to a shortage of memory.
type Event struct {
	Type       EventType `json:"type"`
	Execution  string    `json:"execution,omitempty"`
	Status     *int      `json:"status,omitempty"`
	UsageBytes int64     `json:"usageBytes,omitempty"`
	LimitBytes int64     `json:"limitBytes,omitempty"`
}
