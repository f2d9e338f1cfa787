export { DockerfileError } from './instructions.ts'
export type { DockerfilePlan, DockerfileStage, DockerfileStep } from './plan.ts'
export { planDockerfile } from './plan-dockerfile.ts'
