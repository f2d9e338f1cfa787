/** Lists are paged in both directions, ids ascending in each. */
export const listOrder = `
CREATE INDEX sandbox_by_oldest_start ON sandbox (started_at, id);
CREATE INDEX sandbox_by_template ON sandbox (template_id, started_at DESC, id);
`
