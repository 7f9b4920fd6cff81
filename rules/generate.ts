import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { examples } from "../functions/composition.ts";
import { accessMatrix } from "./access-matrix.ts";
import { firestoreRules } from "./firestore-rules.ts";
import { filledPage, matrixTable } from "./matrix-page.ts";

// Writes firestore.rules and the tables of docs/security.md for the deployed domain, and prints who may read what.
const root = join(import.meta.dirname, "..");
const page = join(root, "docs", "security.md");
const matrix = accessMatrix(examples);
writeFileSync(join(root, "firestore.rules"), firestoreRules(matrix));
writeFileSync(page, filledPage(readFileSync(page, "utf8"), matrix));
console.log(matrixTable(matrix));
