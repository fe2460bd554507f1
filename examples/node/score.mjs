// Score a bundle on a cipherset's test rows in Node: node score.mjs DIR BUNDLE
//
// Needs: npm ci --ignore-scripts. Verifies the signature and every digest before it reads, then
// runs the model as WebAssembly; nothing of Python, and no key. Prints the labels as JSON.

import { createHash, createPublicKey, verify } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parquetReadObjects } from "hyparquet";
import { compressors } from "hyparquet-compressors";
import { InferenceSession, Tensor, env } from "onnxruntime-web";

const TYPE = "application/vnd.cipherset.manifest.v1+json";
const ED25519 = Buffer.from("302a300506032b6570032100", "hex"); // the head of such a key in DER

const digest = (bytes) => "sha256:" + createHash("sha256").update(bytes).digest("hex");

/** What the signed manifest says; throws where the signature does not fit. */
function manifestOf(directory) {
  const { payload, payloadType, signatures } = JSON.parse(
    readFileSync(join(directory, "manifest.json")),
  );
  const said = Buffer.from(payload, "base64");
  const manifest = JSON.parse(said);
  const der = Buffer.concat([ED25519, Buffer.from(manifest.signer.public_key, "hex")]);
  const key = createPublicKey({ key: der, format: "der", type: "spki" });
  // DSSE's pre-authentication encoding, section 2 of its protocol
  const signed = Buffer.concat([
    Buffer.from(`DSSEv1 ${payloadType.length} ${payloadType} ${said.length} `),
    said,
  ]);
  const signature = Buffer.from(signatures[0].sig, "base64");
  if (payloadType !== TYPE || !verify(null, signed, key, signature)) {
    throw new Error("the manifest is not what was signed");
  }
  return manifest;
}

/** The rows of a split, each file held against its digest first. */
async function rowsOf(directory, manifest, split) {
  const rows = [];
  for (const { path, sha256 } of manifest.splits[split].files) {
    const bytes = readFileSync(join(directory, path));
    if (digest(bytes) !== sha256) throw new Error(`${path} is not the file that was signed`);
    const file = new Uint8Array(bytes).buffer;
    rows.push(...(await parquetReadObjects({ file, compressors })));
  }
  return rows;
}

const [directory, bundle] = process.argv.slice(2);
const manifest = manifestOf(directory);
const rows = await rowsOf(directory, manifest, "test");

const said = JSON.parse(readFileSync(join(bundle, "bundle.json")));
const model = readFileSync(join(bundle, "model.onnx"));
if (digest(model) !== said.onnx) throw new Error("model.onnx is not the model of bundle.json");
if (said.key_check !== manifest.key_check) throw new Error("the bundle is of another key");

env.wasm.numThreads = 1;
const session = await InferenceSession.create(model, { executionProviders: ["wasm"] });
const x = Float32Array.from(rows.flatMap((row) => row.vector));
const feeds = { [session.inputNames[0]]: new Tensor("float32", x, [rows.length, manifest.dim]) };
const [first] = session.outputNames; // nothing else of its answer is read on the owner's side either
const { data } = (await session.run(feeds, [first]))[first];
const labels = Array.from(data, (answer) =>
  typeof answer === "string" ? answer : manifest.classes[Number(answer)],
);
const right = rows.filter((row, i) => row.label === labels[i]).length;
console.log(JSON.stringify({ rows: rows.length, accuracy: right / rows.length, labels }));
