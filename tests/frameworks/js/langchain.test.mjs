// LangChain.js on the embedded Qdrant and the mock LLM. Its packages ship no tests, so these are ours:
// node --test langchain.test.mjs, with QDRANT_URL and OLLAMA_URL. Run by test_langchain_js.py.

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { test } from "node:test";

import { Document } from "@langchain/core/documents";
import { HumanMessage, ToolMessage } from "@langchain/core/messages";
import { ChatOllama, Ollama, OllamaEmbeddings } from "@langchain/ollama";
import { QdrantVectorStore } from "@langchain/qdrant";

const url = process.env.QDRANT_URL;
const baseUrl = process.env.OLLAMA_URL;
const embeddings = new OllamaEmbeddings({ model: "nomic-embed-text", baseUrl });
const chat = (options) => new ChatOllama({ model: "llama3.1", baseUrl, ...options });

const documents = [
  new Document({ pageContent: "the fox runs", metadata: { kind: "animal", legs: 4 } }),
  new Document({ pageContent: "the bread is warm", metadata: { kind: "food", legs: 0 } }),
  new Document({ pageContent: "the spider sits", metadata: { kind: "animal", legs: 8 } }),
];
const kind = (value) => ({ must: [{ key: "metadata.kind", match: { value } }] });
const texts = (found) => found.map((document) => document.pageContent);

const filled = (options) =>
  QdrantVectorStore.fromDocuments(documents, embeddings, { url, collectionName: randomUUID(), ...options });

const schema = {
  title: "answer",
  type: "object",
  properties: { place: { type: "string" }, count: { type: "integer" } },
  required: ["place", "count"],
};
const weather = {
  type: "function",
  function: {
    name: "weather",
    description: "the weather at a place",
    parameters: { type: "object", properties: { place: { type: "string" } }, required: ["place"] },
  },
};

async function collect(stream) {
  const chunks = [];
  for await (const chunk of stream) chunks.push(chunk);
  return chunks;
}

test("qdrant: the nearest document comes first", async () => {
  const store = await filled();
  assert.deepEqual(texts(await store.similaritySearch("a fox", 1)), ["the fox runs"]);
});

test("qdrant: scores fall, and the metadata comes back", async () => {
  const found = await (await filled()).similaritySearchWithScore("the bread is warm", 3);
  assert.equal(found.length, 3);
  assert.deepEqual(found[0][0].metadata, { kind: "food", legs: 0 });
  assert.ok(found[0][1] > 0.999 && found[0][1] >= found[1][1] && found[1][1] >= found[2][1]);
});

test("qdrant: a filter by value, and one by range", async () => {
  const store = await filled();
  assert.deepEqual(texts(await store.similaritySearch("a fox", 3, kind("food"))), ["the bread is warm"]);
  const many = { must: [{ key: "metadata.legs", range: { gte: 6 } }] };
  assert.deepEqual(texts(await store.similaritySearch("a fox", 3, many)), ["the spider sits"]);
});

test("qdrant: marginal relevance gives different documents", async () => {
  const found = await (await filled()).maxMarginalRelevanceSearch("a fox", { k: 2, fetchK: 3 });
  assert.equal(new Set(texts(found)).size, 2);
});

test("qdrant: deleted by filter, and by id", async () => {
  const store = await filled();
  await store.delete({ filter: kind("animal") });
  const [left] = await store.similaritySearch("a fox", 3);
  assert.equal(left.pageContent, "the bread is warm");
  await store.delete({ ids: [left.id] });
  assert.deepEqual(await store.similaritySearch("a fox", 3), []);
});

test("qdrant: an existing collection is opened and added to, with payload of one's own", async () => {
  const collectionName = randomUUID();
  await filled({ collectionName });
  const store = await QdrantVectorStore.fromExistingCollection(embeddings, { url, collectionName });
  await store.addDocuments([new Document({ pageContent: "the cat", metadata: {} })], { customPayload: [{ owner: "me" }] });
  const mine = { must: [{ key: "customPayload.owner", match: { value: "me" } }] };
  assert.deepEqual(texts(await store.similaritySearch("a fox", 4, mine)), ["the cat"]);
});

test("qdrant: other names for content and metadata", async () => {
  const store = await filled({ contentPayloadKey: "body", metadataPayloadKey: "about" });
  const filter = { must: [{ key: "about.kind", match: { value: "food" } }] };
  const [found] = await store.similaritySearch("a fox", 1, filter);
  assert.deepEqual([found.pageContent, found.metadata.kind], ["the bread is warm", "food"]);
});

test("qdrant: a retriever", async () => {
  const retriever = (await filled()).asRetriever({ k: 1, filter: kind("animal") });
  assert.deepEqual(texts(await retriever.invoke("a spider")), ["the spider sits"]);
});

test("ollama: texts and a query have vectors of one length", async () => {
  const vectors = await embeddings.embedDocuments(["one", "two"]);
  assert.deepEqual([...vectors.map((vector) => vector.length), (await embeddings.embedQuery("one")).length], [768, 768, 768]);
});

test("ollama: an answer has text and usage", async () => {
  const answer = await chat().invoke("Hello");
  assert.ok(answer.content.length > 0);
  const { input_tokens: read, output_tokens: written, total_tokens: all } = answer.usage_metadata;
  assert.ok(read > 0 && written > 0 && read + written === all);
});

test("ollama: a stream is the answer in pieces", async () => {
  const chunks = await collect(await chat().stream("Hello"));
  assert.ok(chunks.length > 1);
  assert.equal(chunks.map((chunk) => chunk.content).join(""), (await chat().invoke("Hello")).content);
});

test("ollama: a batch answers each", async () => {
  assert.equal((await chat().batch(["Hello", "Good bye"])).length, 2);
});

test("ollama: the older completion, whole and in pieces", async () => {
  const model = new Ollama({ model: "llama3.1", baseUrl });
  const whole = await model.invoke("Hello");
  assert.equal((await collect(await model.stream("Hello"))).join(""), whole);
});

test("ollama: a tool is called, and its result answered", async () => {
  const model = chat().bindTools([weather]);
  const asked = new HumanMessage("What is the weather in Paris?");
  const called = await model.invoke([asked]);
  assert.deepEqual(called.tool_calls.map((call) => call.name), ["weather"]);
  assert.equal(typeof called.tool_calls[0].args.place, "string");
  const result = new ToolMessage({ content: "sunny", tool_call_id: called.tool_calls[0].id });
  const answer = await model.invoke([asked, called, result]);
  assert.ok(answer.content.length > 0 && answer.tool_calls.length === 0);
});

test("ollama: a tool call comes in a stream", async () => {
  const chunks = await collect(await chat().bindTools([weather]).stream("What is the weather in Paris?"));
  const all = chunks.reduce((whole, chunk) => whole.concat(chunk));
  assert.deepEqual(all.tool_calls.map((call) => call.name), ["weather"]);
});

for (const method of ["jsonSchema", "functionCalling", "jsonMode"]) {
  test(`ollama: structured output by ${method}`, async () => {
    const answer = await chat().withStructuredOutput(schema, { method }).invoke("Where, and how many?");
    assert.equal(typeof answer, "object");
    if (method !== "jsonMode") assert.deepEqual([typeof answer.place, Number.isInteger(answer.count)], ["string", true]);
  });
}

test("ollama: a model that thinks says so apart from its answer", async () => {
  const answer = await chat({ model: "gpt-oss:20b", think: true }).invoke("What is 3^3?");
  assert.ok(answer.content.length > 0);
  assert.ok(answer.additional_kwargs.reasoning_content.length > 0);
});

test("ollama: a picture is taken", async () => {
  const png = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
  const content = [
    { type: "text", text: "What is this?" },
    { type: "image_url", image_url: `data:image/png;base64,${png}` },
  ];
  assert.ok((await chat().invoke([new HumanMessage({ content })])).content.length > 0);
});

test("ollama: an unknown model is an error that names it", async () => {
  await assert.rejects(chat({ model: "unheard-of" }).invoke("Hello"), /unheard-of/);
});
