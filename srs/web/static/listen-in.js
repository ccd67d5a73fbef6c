// <listen-in src>: a button to hear a call under way, by WebRTC: caller left, callee right. Texts come as data- attributes.
// A connection that is lost, as when the recorder's processes are replaced, is made again a few times.
const PATIENCE_MS = 1000;
const AGAIN_MS = 1500;
const TRIES = 4;

class ListenIn extends HTMLElement {
  connectedCallback() {
    if (this.button) return;
    this.button = document.createElement("button");
    this.button.type = "button";
    this.audio = document.createElement("audio");
    this.problem = document.createElement("span");
    this.problem.setAttribute("role", "status");
    this.append(this.button, this.audio, this.problem);
    this.button.addEventListener("click", () => this.press());
    this.tell();
  }

  disconnectedCallback() {
    this.end();
  }

  press() {
    this.tries = TRIES;
    this.problem.textContent = "";
    if (this.peer || this.waiting) this.end();
    else this.begin();
  }

  async begin() {
    this.waiting = undefined;
    const peer = new RTCPeerConnection({ iceServers: [] });
    this.peer = peer;
    this.tell();
    try {
      await this.connect(peer);
    } catch (error) {
      if (this.peer === peer) this.lost(error);
    }
  }

  /** @param {Error} [error] Without it the connection itself went; with one that has a refusal, trying again is no use. */
  lost(error) {
    this.end();
    if (error?.cause === "refused" || this.tries === 0) {
      this.problem.textContent = `${this.dataset.failed} ${error?.message ?? ""}`;
      return;
    }
    this.tries -= 1;
    this.problem.textContent = this.dataset.lost;
    this.waiting = setTimeout(() => this.begin(), AGAIN_MS);
    this.tell();
  }

  /** @param {RTCPeerConnection} peer */
  async connect(peer) {
    peer.addTransceiver("audio", { direction: "recvonly" });
    peer.addEventListener("track", (event) => {
      this.audio.srcObject = new MediaStream([event.track]);
      this.audio.play();
    });
    peer.addEventListener("connectionstatechange", () => {
      if (this.peer !== peer) return;
      if (peer.connectionState === "connected") this.heard();
      if (["failed", "closed", "disconnected"].includes(peer.connectionState)) this.lost();
    });
    const offer = await peer.createOffer();
    // Without this Chromium hears Opus as one channel (RFC 7587 section 6.1).
    await peer.setLocalDescription({ type: "offer", sdp: offer.sdp.replace("useinbandfec=1", "useinbandfec=1;stereo=1") });
    await gathered(peer);
    const body = new URLSearchParams({ offer: peer.localDescription.sdp });
    const answer = await fetch(this.getAttribute("src"), { method: "POST", body, headers: { Accept: "text/plain" } });
    if (!answer.ok) throw new Error(await answer.text(), { cause: "refused" });
    await peer.setRemoteDescription({ type: "answer", sdp: await answer.text() });
  }

  heard() {
    this.tries = TRIES;
    this.problem.textContent = "";
  }

  end() {
    clearTimeout(this.waiting);
    this.waiting = undefined;
    this.peer?.close();
    this.peer = undefined;
    this.audio.srcObject = null;
    this.tell();
  }

  tell() {
    const on = Boolean(this.peer ?? this.waiting);
    this.button.textContent = on ? this.dataset.end : this.dataset.listen;
    this.button.setAttribute("aria-pressed", String(on));
  }
}

/** Wait until a connection knows its addresses; those that are still missing then are not needed. */
function gathered(peer) {
  return new Promise((done) => {
    setTimeout(done, PATIENCE_MS);
    peer.addEventListener("icegatheringstatechange", () => peer.iceGatheringState === "complete" && done());
    if (peer.iceGatheringState === "complete") done();
  });
}

customElements.define("listen-in", ListenIn);
