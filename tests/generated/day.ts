// A user's day by the client that @hey-api/openapi-ts makes: node day.js URL ADMIN PASSWORD.
// It is run and type-checked beside the generated folder `client`, by tests/test_generated_clients.py.
import { strictEqual as equal, ok } from "node:assert";
import { randomUUID } from "node:crypto";
import * as api from "./client";
import { client } from "./client/client.gen";

const NOW = "2025-08-01T12:00:00Z";
const DAY = "2025-08-01";
const PASSWORD = "correct horse battery";
const LOG = "shop_api      | 2018-08-01 00:01:35 [YQ3J8G5A] INFO: 121.165.118.201 https://shop.example/caviar/\nno line\n";

let token = "";

interface Result<T> {
  data: T | undefined;
  error?: unknown;
  response?: Response;
}

async function done<T>(call: Promise<Result<T>>, status = 200): Promise<NonNullable<T>> {
  const { data, error, response } = await call;
  equal(response?.status, status, JSON.stringify(error));
  return data as NonNullable<T>;
}

async function signIn(login: string, password: string): Promise<void> {
  token = (await done(api.signIn({ body: { login, password } }))).access_token;
}

async function workOnTasks(): Promise<void> {
  const task = await done(api.createTask({ body: { title: "Order salmon", due_at: NOW } }), 201);
  const path = { task_id: task.id };
  equal((await done(api.getTask({ path }))).due_at, NOW);
  equal((await done(api.replaceTask({ path, body: { ...task, title: "Order cod" } }))).title, "Order cod");
  equal((await done(api.updateTask({ path, body: { due_at: null } }))).due_at, null);
  equal((await done(api.listTasks({ query: { q: "cod", limit: 50, offset: 0 } }))).items.length, 1);
  await done(api.deleteTask({ path }), 204);
}

async function sendEvents(): Promise<void> {
  const events = ["view", "buy"].map((event_type, minute) => (
    { event_id: randomUUID(), user_id: 7, event_type, occurred_at: `2025-08-01T12:0${minute}:00Z`, properties: { plan: "pro" } }
  ));
  equal((await done(api.createEvents({ body: { events } }))).created, 2);
  equal((await done(api.createEvents({ body: { events } }))).duplicates, 2);
  const query = { from: DAY, to: DAY, tz: "UTC" };
  equal((await done(api.listEvents({ query: { ...query, "property.*": { "property.plan": "pro" } } }))).items.length, 2);
  equal((await done(api.countEvents({ query: { ...query, group_by: ["type", "day"] } }))).items.length, 2);
  equal((await done(api.dailyActiveUsers({ query }))).items.length, 1);
  equal((await done(api.topEvents({ query }))).items.length, 2);
  equal((await done(api.funnel({ query: { step: ["view", "buy"] } }))).items[1]?.users, 1);
  ok((await done(api.retention({ query: { start: DAY } }))).items.length > 0);
  ok(String(await done(api.exportEvents({ parseAs: "text" }))).includes("\n"));
}

async function recordVisits(): Promise<void> {
  const visit = await done(api.recordVisits({ body: { page_url: "/fresh_fish/salmon/", timestamp: NOW } }), 201);
  ok("id" in visit);
  equal((await done(api.getVisit({ path: { visit_id: visit.id } }))).category, "fresh_fish");
  const many = await done(api.recordVisits({ body: { visits: [{ page_url: "/caviar/", timestamp: NOW }] } }));
  ok("created" in many);
  ok((await done(api.listVisits({ query: { from: DAY, to: DAY } }))).items.length >= 2);
  ok((await done(api.countVisits({ query: { group_by: ["category", "day"] } }))).items.length >= 2);
  ok(String(await done(api.exportVisits({ query: { format: "csv" }, parseAs: "text" }))).startsWith("id,"));
}

async function readReports(): Promise<void> {
  equal((await done(api.listReports())).items.length, 7);
  for (const number of [1, 2, 3, 4, 5, 6, 7] as const) {
    const query = { tz: "UTC", source: "all", limit: 10, raw: false } as const; // the defaults that the document declares
    const report = await done(api.getReport({ path: { number }, query }));
    ok(typeof report === "object" && "report" in report);
    equal(report.report, number);
  }
}

async function useAKey(): Promise<void> {
  const key = await done(api.createKey({ body: { name: "a shop", scopes: ["reports:read"] } }), 201);
  const headers = { Authorization: `Bearer ${key.key}` };
  await done(api.getReport({ path: { number: 1 }, headers, auth: undefined, security: [] }));
  await done(api.listTasks({ headers, security: [] }), 403);
  await done(api.deleteKey({ path: { key_id: key.id } }), 204);
}

async function upload(): Promise<void> {
  const record = await done(api.uploadLog({ body: new Blob([LOG]), query: { name: "july.log" } }), 202);
  equal(record.lines, 2);
  equal(record.name, "july.log");
  equal((await done(api.listRejects({ path: { import_id: record.id } }))).items.length, 1);
}

async function live(url: string, admin: string, adminPassword: string): Promise<void> {
  client.setConfig({ baseUrl: url, auth: () => token });
  await done(api.signUp({ body: { email: "boris@shop.example", password: PASSWORD, first_name: "Boris" } }), 201);
  await signIn("boris@shop.example", PASSWORD);
  await done(api.updateProfile({ body: { last_name: "Smirnov" } }));
  equal((await done(api.getProfile())).last_name, "Smirnov");
  await workOnTasks();
  await sendEvents();
  await recordVisits();
  await readReports();
  await useAKey();
  ok((await done(api.listSessions())).items.length >= 1);
  await done(api.signOut(), 204);
  await done(api.getProfile(), 401);
  await signIn(admin, adminPassword);
  await upload();
  console.log("a whole day");
}

const [url = "", admin = "", adminPassword = ""] = process.argv.slice(2);
void live(url, admin, adminPassword);
