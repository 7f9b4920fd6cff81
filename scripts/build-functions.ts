/** Makes the folders that are deployed on Google Cloud, below `dist`, and says how large they are. */
import { join } from "node:path";
import { buildGoogle } from "../functions/gcp/build.ts";

const root = join(import.meta.dirname, "..");
for (const name of ["gcloud", "firebase"] as const) {
  const folder = join(root, "dist", `functions-${name}`);
  const { bytes } = await buildGoogle({ name, folder, variables: root });
  console.log(`${folder}: index.js has ${bytes} bytes`);
}
