import { expect } from "chai";
import fc from "fast-check";
import { type Address, checkId, Err, keyOf } from "../../core/index.ts";
import { pending, receiptOf } from "../contract/pending.ts";
import { historyOf, listAll, viewOf } from "../contract/reading.ts";
import { project } from "../contract/writing.ts";
import { onEveryStore } from "../support/stores.ts";
import { thrown } from "../support/thrown.ts";
import { runs } from "./runs.ts";
import { anyId } from "./values.ts";

const name = fc
  .string({ unit: fc.constantFrom("a", "b", "A", "0", "-", "_"), minLength: 1, maxLength: 4 })
  .map((text) => `x${text}`);
const address: fc.Arbitrary<Address> = fc.record({ tenant: name, type: name, id: anyId });

describe("Ids", () => {
  it("make keys that are equal for equal addresses only", () => {
    fc.assert(
      fc.property(address, address, (one, other) => {
        const areEqual = one.tenant === other.tenant && one.type === other.type && one.id === other.id;
        expect(keyOf(one) === keyOf(other)).to.equal(areEqual);
      }),
      runs(2_000),
    );
  });

  it("are accepted exactly where they are 1 to 256 bytes of well-formed NFC without controls", () => {
    fc.assert(
      fc.property(
        fc.oneof(
          anyId,
          fc.string({ unit: "binary", maxLength: 300 }),
          fc.string({ unit: fc.integer({ min: 0, max: 0xffff }).map((unit) => String.fromCharCode(unit)), maxLength: 5 }),
        ),
        (text) => {
          const bytes = new TextEncoder().encode(text);
          const isWellFormed = new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes) === text;
          // biome-ignore lint/suspicious/noControlCharactersInRegex: controls are what is looked for
          const hasControl = /[\u0000-\u001f\u007f-\u009f]/.test(text);
          const isGood =
            bytes.length >= 1 && bytes.length <= 256 && isWellFormed && !hasControl && text.normalize("NFC") === text;
          if (isGood) expect(checkId(text, "id")).to.equal(text);
          else expect(thrown(Err, () => checkId(text, "id")).code).to.equal("invalid_argument");
        },
      ),
      runs(2_000),
    );
  });
});

onEveryStore("Ids", (stage) => {
  it("never share a history, a view or a receipt", async () => {
    await fc.assert(
      fc.asyncProperty(fc.uniqueArray(anyId, { minLength: 2, maxLength: 12 }), async (ids) => {
        const { store } = stage;
        const tenant = stage.newTenant();
        await store.open(tenant);
        const group = ids.map((id) => pending({ id, version: 0, payload: { id } }, { receipt: receiptOf(id, id, 0) }));
        for (const { status } of await store.commit(tenant, group)) expect(status).to.equal("committed");
        await project(store, tenant, "views", Object.fromEntries(ids.map((id) => [id, { id }])));
        for (const id of ids) {
          expect((await historyOf(store, tenant, id)).map(({ events }) => events[0]!.payload)).to.deep.equal([{ id }]);
          expect((await store.receipt(tenant, id))?.id).to.equal(id);
          expect(await viewOf(store, tenant, "views", id)).to.deep.equal({ id });
        }
        expect((await listAll(store, tenant, "views", 5)).map(({ id }) => id)).to.have.members(ids);
      }),
      runs(30),
    );
  });
});
