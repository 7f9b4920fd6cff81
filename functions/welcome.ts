/** What the start of a server depends on that the commands to paste must repeat. */
export interface Start {
  readonly url: string;
  readonly dataDir: string;
  /** `DATA_DIR` as it was set, if it was: then the token command needs it too. */
  readonly isDataDirSet: boolean;
  /** The directory of package.json. */
  readonly home: string;
  readonly cwd: string;
  /** Whether the example domains are served, and not others in their place. */
  readonly hasExamples: boolean;
}

/** What the server prints when it is ready: where it listens, and commands to paste, in this order, into one shell. */
export function welcome({ url, dataDir, isDataDirSet, home, cwd, hasExamples }: Start): string {
  const isElsewhere = home !== cwd;
  const environment = isDataDirSet || isElsewhere ? `DATA_DIR=${quoted(dataDir)} ` : "";
  const prefix = isElsewhere ? `--prefix ${quoted(home)} ` : "";
  const token = `${environment}npm ${prefix}run -s token -- --tenant acme --id ada --roles manager,user`;
  const ready = `Evenant listens on ${url} and keeps its data in ${dataDir}.`;
  if (!hasExamples) {
    return `${ready}

Make a token, with the roles that your commands need:
TOKEN=$(${token})

Then look up what to send:
curl -s ${url}/openapi.json
`;
  }
  const bearer = '-H "Authorization: Bearer $TOKEN"';
  const command = `{"aggregateId":"calc1","number1":1,"number2":2}`;
  return `${ready}

Send a command:
TOKEN=$(${token}) && curl -s -w "\\n" ${bearer} -H "Content-Type: application/json" -d '${command}' ${url}/commands/AddNumbers

Then read the view of it:
curl -s -w "\\n" ${bearer} "${url}/views/totals/calc1?position=1"
`;
}

/** One word for a POSIX shell, whatever it holds. */
function quoted(text: string): string {
  return /^[\w./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
