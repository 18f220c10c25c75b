// Runs once, on MongoDB's first start: a user for the services, as mongo-url names it, and one for the exporter if
// there is one. The image runs what lies in /docker-entrypoint-initdb.d, over localhost,
// before anybody can reach the server.
const url = require("fs").readFileSync("/run/secrets/mongo-url", "utf8");
const [, user, password] = url.match(/^mongodb:\/\/([^:]+):([^@]+)@/).map(decodeURIComponent);
const admin = db.getSiblingDB("admin");
admin.createUser({
  user: user,
  pwd: password,
  roles: [{ role: "readWrite", db: "eventservice" }, { role: "readWrite", db: "bookingservice" }],
});
if (process.env.MONGODB_EXPORTER_PASSWORD) {
  admin.createUser({
    user: "exporter",
    pwd: process.env.MONGODB_EXPORTER_PASSWORD,
    roles: [{ role: "clusterMonitor", db: "admin" }, { role: "read", db: "local" }],
  });
}
