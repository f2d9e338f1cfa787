import type { Endpoint } from '../endpoint.ts'
import { cloneSandbox } from './clone-sandbox.ts'
import { connectSandbox, connectSandboxV2 } from './connect-sandbox.ts'
import { createSandbox, createSandboxV2 } from './create-sandbox.ts'
import { createSnapshot } from './create-snapshot.ts'
import { forkSandbox } from './fork-sandbox.ts'
import { getHealth } from './get-health.ts'
import { getInventory } from './get-inventory.ts'
import { getQuota } from './get-quota.ts'
import { getSandbox } from './get-sandbox.ts'
import { killSandbox } from './kill-sandbox.ts'
import { listEvents } from './list-events.ts'
import { listSandboxLogs, listSandboxLogsV2 } from './list-logs.ts'
import { listLastMetrics, listSandboxMetrics } from './list-metrics.ts'
import { listPreparations } from './list-preparations.ts'
import { listRunningSandboxes } from './list-running-sandboxes.ts'
import { listSandboxes } from './list-sandboxes.ts'
import { listSnapshots } from './list-snapshots.ts'
import { pauseSandbox } from './pause-sandbox.ts'
import { refreshSandbox } from './refresh-sandbox.ts'
import { resetSandbox } from './reset-sandbox.ts'
import { resumeSandbox } from './resume-sandbox.ts'
import { setSandboxTimeout } from './set-sandbox-timeout.ts'
import { getBuildLogs, getBuildStatus } from './templates/build-status.ts'
import { deleteTemplate } from './templates/delete-template.ts'
import { getFileLink, putFiles } from './templates/files.ts'
import { getAlias, getTemplate, updateTemplate, updateTemplateV2 } from './templates/get-template.ts'
import { listTemplates, listTemplatesV2 } from './templates/list-templates.ts'
import { registerTemplate } from './templates/register-template.ts'
import { startBuild } from './templates/start-build.ts'
import { assignTags, listTags, removeTags } from './templates/tags.ts'
import { updateNetwork } from './update-network.ts'
import { verifyImages } from './verify-images.ts'

/** Every endpoint of the API; what is not here does not exist. */
export const endpoints: readonly Endpoint[] = [
  getHealth,
  createSandbox,
  createSandboxV2,
  listRunningSandboxes,
  listSandboxes,
  // Before what could be the id of a sandbox.
  getQuota,
  listEvents,
  listLastMetrics,
  listSandboxMetrics,
  listSandboxLogs,
  listSandboxLogsV2,
  getSandbox,
  killSandbox,
  connectSandbox,
  connectSandboxV2,
  resumeSandbox,
  pauseSandbox,
  cloneSandbox,
  forkSandbox,
  createSnapshot,
  listSnapshots,
  resetSandbox,
  setSandboxTimeout,
  refreshSandbox,
  updateNetwork,
  registerTemplate,
  listTemplates,
  listTemplatesV2,
  // Before what could be the id of a template.
  getAlias,
  assignTags,
  removeTags,
  getTemplate,
  deleteTemplate,
  updateTemplate,
  updateTemplateV2,
  listTags,
  getFileLink,
  putFiles,
  startBuild,
  getBuildStatus,
  getBuildLogs,
  verifyImages,
  getInventory,
  listPreparations,
]
