// Sign in the browser with an Ed25519 key file. The key is read, used and forgotten; only signatures go into the form.
// Every hidden field with data-signature="NAME" is signed exactly as it stands, and the signature line goes into the
// field NAME. The key file is one line: PRIVATE+KEY+name+hash+base64(0x01 seed).
(function () {
  "use strict";
  var form = document.getElementById("sign-form");
  var button = document.getElementById("sign-own");
  if (!form || !button) return;
  document.getElementById("sign-in-browser").hidden = false;
  var problem = document.getElementById("sign-error");

  function bytes(text) {
    return Uint8Array.from(atob(text), function (letter) { return letter.charCodeAt(0); });
  }
  function base64(data) {
    return btoa(String.fromCharCode.apply(null, data));
  }
  function say(text) {
    problem.textContent = text;
    problem.hidden = false;
  }
  function parse(text) {
    var parts = /^PRIVATE\+KEY\+([^+\s]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/=]+)\s*$/.exec(text);
    if (!parts) throw new Error("This file is not a Gatehouse key.");
    var body = bytes(parts[3]);
    if (body.length !== 33 || body[0] !== 1) throw new Error("This key cannot sign here.");
    return { name: parts[1], hash: parts[2], seed: body.slice(1) };
  }
  async function signer(key) {
    // RFC 8410: a PKCS #8 wrapping of the 32-byte seed
    var head = [0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20];
    var wrapped = new Uint8Array(head.concat(Array.from(key.seed)));
    var handle = await crypto.subtle.importKey("pkcs8", wrapped, "Ed25519", false, ["sign"]);
    var hash = key.hash.match(/../g).map(function (pair) { return parseInt(pair, 16); });
    return async function (text) {
      var signature = new Uint8Array(await crypto.subtle.sign("Ed25519", handle, new TextEncoder().encode(text)));
      return "\u2014 " + key.name + " " + base64(new Uint8Array(hash.concat(Array.from(signature))));
    };
  }
  button.addEventListener("click", async function () {
    var file = document.getElementById("key").files[0];
    problem.hidden = true;
    if (!file) { say("Choose your key file first."); return; }
    try {
      var sign = await signer(parse(await file.text()));
      var exact = form.querySelectorAll("input[data-signature]");
      for (var at = 0; at < exact.length; at += 1) {
        form.elements[exact[at].dataset.signature].value = await sign(exact[at].value);
      }
      form.submit();
    } catch (error) {
      say(error.message || "This browser cannot sign. Use the commands of gatehouse instead.");
    }
  });
})();
