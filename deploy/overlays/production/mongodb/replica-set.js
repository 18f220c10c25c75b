// Run by mongosh in the Job `mongodb-init`: initiates the replica set with one member, and adds the others, one at a time.
//
// One, and then the others, because each member has made its users already, on its first start, over localhost: a set cannot be
// initiated with several members that have data. One that is added takes a copy of everything, and its own data goes.
const SET = "rs0";
const NAMES = [0, 1, 2].map((n) => `mongodb-${n}.mongo-nodes:27017`);
const password = encodeURIComponent(require("fs").readFileSync("/run/secrets/mongo-root-password", "utf8").trim());

const admin = (hosts, options) => Mongo(`mongodb://root:${password}@${hosts}/?authSource=admin&${options}`).getDB("admin");
const direct = (name) => admin(name, "directConnection=true");

// Asks again until there is an answer that is not false, for at most two minutes. An exception fails the Job, which is run again.
function eventually(what, ask) {
  for (let tries = 120; tries > 0; tries--) {
    const answer = ask();
    if (answer) return answer;
    sleep(1000);
  }
  throw new Error(`waited two minutes: ${what}`);
}

// All of them must answer: a member that is away may have the set already, and a second one must not be made.
const isMember = NAMES.map((name) => Boolean(direct(name).hello().setName));
if (!isMember.includes(true)) {
  print(`initiating ${SET} with ${NAMES[0]}`);
  direct(NAMES[0]).adminCommand({ replSetInitiate: { _id: SET, members: [{ _id: 0, host: NAMES[0] }] } });
}

const known = NAMES.filter((_, n) => isMember[n]);
const seeds = (known.length > 0 ? known : [NAMES[0]]).join(",");
const set = admin(seeds, `replicaSet=${SET}`);
eventually("for a primary", () => set.hello().isWritablePrimary);

for (const name of NAMES) {
  const config = set.adminCommand({ replSetGetConfig: 1 }).config;
  if (!config.members.some((member) => member.host === name)) {
    print(`adding ${name}`);
    config.members.push({ _id: Math.max(...config.members.map((member) => member._id)) + 1, host: name });
    config.version += 1;
    set.adminCommand({ replSetReconfig: config });
  }
  eventually(`for ${name} to have a copy`, () => {
    const status = set.adminCommand({ replSetGetStatus: 1 });
    return ["PRIMARY", "SECONDARY"].includes(status.members.find((member) => member.name === name)?.stateStr);
  });
}
print(`${SET} has all of ${NAMES.join(", ")}`);
