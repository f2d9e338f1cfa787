/**
 * Pauses whose intent is on record, damage, snapshots, every name of an event. SQLite cannot change a CHECK: the tables are
 * written anew. Which states and names there are is checked by the readers from now on.
 */
export const lifeCycle = `
CREATE TABLE sandbox_new (
  id TEXT PRIMARY KEY,
  template_id TEXT NOT NULL,
  build_id TEXT NOT NULL,
  alias TEXT,
  state TEXT NOT NULL,
  generation INTEGER NOT NULL,
  execution TEXT,
  image TEXT,
  pausing TEXT,
  damage TEXT,
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
INSERT INTO sandbox_new SELECT
  id, template_id, build_id, alias, state, generation, execution, image, NULL, NULL, base, resources, created_at, started_at,
  end_at, timeout_seconds, paused_at, lifecycle, metadata, env, network, secure
FROM sandbox;
DROP TABLE sandbox;
ALTER TABLE sandbox_new RENAME TO sandbox;
CREATE INDEX sandbox_by_start ON sandbox (started_at DESC, id);
CREATE INDEX sandbox_by_oldest_start ON sandbox (started_at, id);
CREATE INDEX sandbox_by_template ON sandbox (template_id, started_at DESC, id);
CREATE INDEX sandbox_by_state ON sandbox (state);
CREATE INDEX sandbox_by_execution ON sandbox (execution) WHERE execution IS NOT NULL;
CREATE INDEX sandbox_by_image ON sandbox (json_extract(image, '$.name')) WHERE image IS NOT NULL;

CREATE TABLE event_new (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  sandbox_id TEXT NOT NULL,
  template_id TEXT NOT NULL,
  template_name TEXT,
  at INTEGER NOT NULL,
  name TEXT NOT NULL,
  reason TEXT NOT NULL
) STRICT;
INSERT INTO event_new SELECT number, sandbox_id, template_id, NULL, at, name, reason FROM event;
DROP TABLE event;
ALTER TABLE event_new RENAME TO event;
CREATE INDEX event_by_sandbox ON event (sandbox_id, number);
CREATE INDEX event_by_time ON event (at);

CREATE TABLE snapshot (
  id TEXT PRIMARY KEY,
  name TEXT,
  tag TEXT NOT NULL,
  sandbox_id TEXT NOT NULL,
  secure INTEGER NOT NULL,
  template_id TEXT NOT NULL,
  image TEXT NOT NULL,
  base TEXT NOT NULL,
  resources TEXT NOT NULL,
  env TEXT NOT NULL,
  created_at INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX snapshot_by_name ON snapshot (name, tag) WHERE name IS NOT NULL;
CREATE INDEX snapshot_by_time ON snapshot (created_at DESC, id);
CREATE INDEX snapshot_by_sandbox ON snapshot (sandbox_id, created_at DESC, id);
`
