/** The first schema: sandboxes, their events, templates, API keys. */
export const records = `
CREATE TABLE sandbox (
  id TEXT PRIMARY KEY,
  template_id TEXT NOT NULL,
  build_id TEXT NOT NULL,
  alias TEXT,
  state TEXT NOT NULL CHECK (state IN ('creating', 'running', 'paused')),
  generation INTEGER NOT NULL,
  execution TEXT,
  image TEXT,
  base TEXT NOT NULL,
  resources TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  started_at INTEGER NOT NULL,
  end_at INTEGER NOT NULL,
  timeout_seconds REAL NOT NULL,
  paused_at INTEGER,
  lifecycle TEXT NOT NULL,
  metadata TEXT NOT NULL,
  env TEXT NOT NULL,
  network TEXT NOT NULL,
  secure INTEGER NOT NULL
) STRICT;
CREATE INDEX sandbox_by_start ON sandbox (started_at DESC, id);
CREATE INDEX sandbox_by_state ON sandbox (state);

CREATE TABLE event (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  sandbox_id TEXT NOT NULL,
  template_id TEXT NOT NULL,
  at INTEGER NOT NULL,
  name TEXT NOT NULL CHECK (name IN ('created', 'paused', 'resumed', 'killed')),
  reason TEXT NOT NULL
) STRICT;
CREATE INDEX event_by_sandbox ON event (sandbox_id, number);

CREATE TABLE template (
  template_id TEXT PRIMARY KEY,
  build TEXT NOT NULL
) STRICT;
CREATE TABLE template_name (
  name TEXT PRIMARY KEY,
  template_id TEXT NOT NULL REFERENCES template (template_id) ON DELETE CASCADE
) STRICT;

CREATE TABLE api_key (
  hash TEXT PRIMARY KEY,
  name TEXT NOT NULL
) STRICT;
`
