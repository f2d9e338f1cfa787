export { DockerfileError, type DockerfilePlan, type DockerfileStep, planDockerfile } from './plan-dockerfile.ts'
