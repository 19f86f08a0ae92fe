// Shows what the types allow and refuse. tsc checks this file without Node's types.

import {
  type Account,
  type Conversation,
  Emulator,
  type Fax,
  FauxfaxError,
  type JournalEvent,
  type Rule,
  type StartOptions,
} from "fauxfax";

const options: StartOptions = { seed: 7, pace: "max", dialect: "signalwire", args: ["--accounts", "strict"] };

export async function faxes(): Promise<Fax[]> {
  await using emulator: Emulator = await Emulator.start(options);
  const account: Account = await emulator.account({ numbers: [{ phoneNumber: "+15017122661" }] });
  const { phoneNumber } = await account.number("+15017122661", { faxUrl: "http://localhost:3000/fax" });
  const conversation: Conversation = await account.receive({ to: phoneNumber, file: new Uint8Array(), outcome: "received" });
  const pages: number | null | undefined = conversation.fax?.numPages;
  const status: number | null | undefined = conversation.webhooks[0]?.status;
  const events: JournalEvent[] = await account.verify([{ kind: "fax.page" }], { since: pages ?? status ?? 0 });
  const rule: Rule = { match: { to: "+1555*", pages: { min: 2 } }, times: 1, outcome: { status: "failed", afterPages: 1 } };
  const { id, fired } = await account.rules.add(rule);
  await account.rules.add({ webhook: { signature: "tampered", params: { set: { NumPages: "0" } }, headers: { lowerCase: true } } });
  await account.rules.add({ media: { bytesPerSecond: 2_000, cutAfterBytes: 10_000 } });
  await account.reset({ seed: BigInt(7) });
  await account.rules.setEnabled(id, fired > events.length);
  const [first] = await account.pages(conversation.sid, { width: 200 });
  const { faxSid } = await account.wait({ status: ["delivered", "busy"], timeoutMs: first?.length ?? 0 });
  const { now, events: moved } = await account.clock.advance({ by: "1h30m" });
  const { mistake } = await account.explainSignature({ url: now, params: { FaxSid: faxSid }, appUrl: moved[0]?.kind ?? "" });
  const { removed } = await account.withTimeout(5).reset({ seed: removedFaxes(mistake) });
  const sent: Fax = await account.send({ to: "+15558675310", mediaUrl: emulator.url, quality: "fine", ttl: removed.faxes });
  await account.wait({ fax: sent });
  await account.receive({ file: new ArrayBuffer(0) });
  return [await account.fax(conversation), sent, await account.fax(await account.queue({ to: "+15558675310", mediaUrl: Emulator.at("http://a.test").url }))];
}

function removedFaxes(mistake: string | null): number {
  throw new FauxfaxError("title", mistake ?? "detail", { code: "bad-argument" });
}

export function code(error: unknown): string | number | null {
  return error instanceof FauxfaxError ? (error.status ?? error.code) : null;
}

export async function refused(account: Account): Promise<void> {
  // @ts-expect-error There is no such option.
  await Emulator.start({ sead: 7 });
  // @ts-expect-error There is no such dialect.
  await Emulator.start({ dialect: "telnyx" });
  // @ts-expect-error There is no such status.
  await account.wait({ status: "sent" });
  // @ts-expect-error A fax needs a number to call.
  await account.send({ mediaUrl: account.sampleUrl() });
  // @ts-expect-error The result of a wait has no field sid.
  await account.fax(await account.waitIdle());
  // @ts-expect-error There is no time limit for a call that doesn't wait.
  await account.ring({ timeoutMs: 5 });
  // @ts-expect-error There is no such format.
  await account.document("FX", "png");
  // @ts-expect-error The fax may be missing.
  void (await account.receive()).fax.numPages;
}
