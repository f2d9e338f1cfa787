export { openOciImages } from './oci-images.ts'
