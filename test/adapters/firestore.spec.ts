import { contract } from "../contract/index.ts";
import { needsFirestore } from "../support/firestore-emulator.ts";
import { firestoreStore } from "../support/firestore-store.ts";

describe("Firestore", function () {
  this.timeout(90_000);
  before(function () {
    needsFirestore(this);
  });
  contract("Firestore", (now) => firestoreStore({ now }));
});
