// A certified OpenID provider on a port of loopback, with its own sign-in pages, for a client at the origin given.
// It prints its issuer once it serves. A line "rotate" on standard input gives it a new key; it then prints "rotated".
import { createServer } from "node:http";
import { createInterface } from "node:readline";
import { generateKeyPairSync, randomBytes } from "node:crypto";
import Provider from "oidc-provider";

console.info = console.warn = () => {}; // it warns that its pages are for tests

const [port, origin] = process.argv.slice(2);

function key(kid) {
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  return { ...privateKey.export({ format: "jwk" }), kid, use: "sig", alg: "RS256" };
}

function provider(issuer, keys) {
  const made = new Provider(issuer, {
    clients: [
      {
        client_id: "this-server",
        client_secret: "se:cret/+% of this server",
        redirect_uris: [`${origin}/oauth/callback`],
        post_logout_redirect_uris: [`${origin}/signin`],
      },
    ],
    jwks: { keys },
    cookies: { keys: [randomBytes(16).toString("hex")] },
    claims: { openid: ["sub"], email: ["email", "email_verified"], profile: ["name"] },
    pkce: { required: () => true },
    features: { rpInitiatedLogout: { enabled: true } },
    findAccount: (_context, sub) => ({
      accountId: sub,
      claims: () => ({ sub, name: `${sub} at the provider`, email: `${sub}@example.com`, email_verified: true }),
    }),
  });
  made.on("server_error", (_context, error) => console.error(error));
  return made;
}

const issuer = `http://localhost:${port}`;
let handle = provider(issuer, [key("first")]).callback();

createServer((request, response) => handle(request, response)).listen(Number(port), "localhost", () => console.log(issuer));
createInterface({ input: process.stdin })
  .on("line", () => {
    handle = provider(issuer, [key("second")]).callback();
    console.log("rotated");
  })
  .on("close", () => process.exit(0));
