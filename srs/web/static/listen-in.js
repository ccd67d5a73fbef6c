// <listen-in src>: a button to hear a call under way, by WebRTC: caller left, callee right. Texts come as data- attributes.
const PATIENCE_MS = 1000;

class ListenIn extends HTMLElement {
  connectedCallback() {
    if (this.button) return;
    this.button = document.createElement("button");
    this.button.type = "button";
    this.audio = document.createElement("audio");
    this.problem = document.createElement("span");
    this.problem.setAttribute("role", "status");
    this.append(this.button, this.audio, this.problem);
    this.button.addEventListener("click", () => (this.peer ? this.end() : this.begin()));
    this.tell();
  }

  disconnectedCallback() {
    this.end();
  }

  async begin() {
    const peer = new RTCPeerConnection({ iceServers: [] });
    this.peer = peer;
    this.tell();
    try {
      await this.connect(peer);
      this.problem.textContent = "";
    } catch (error) {
      if (this.peer !== peer) return;
      this.end();
      this.problem.textContent = `${this.dataset.failed} ${error.message}`;
    }
  }

  /** @param {RTCPeerConnection} peer */
  async connect(peer) {
    peer.addTransceiver("audio", { direction: "recvonly" });
    peer.addEventListener("track", (event) => {
      this.audio.srcObject = new MediaStream([event.track]);
      this.audio.play();
    });
    peer.addEventListener("connectionstatechange", () => {
      if (this.peer === peer && ["failed", "closed", "disconnected"].includes(peer.connectionState)) this.end();
    });
    const offer = await peer.createOffer();
    // Without this Chromium hears Opus as one channel (RFC 7587 section 6.1).
    await peer.setLocalDescription({ type: "offer", sdp: offer.sdp.replace("useinbandfec=1", "useinbandfec=1;stereo=1") });
    await gathered(peer);
    const answer = await fetch(this.getAttribute("src"), { method: "POST", body: new URLSearchParams({ offer: peer.localDescription.sdp }) });
    if (!answer.ok) throw new Error(String(answer.status));
    await peer.setRemoteDescription({ type: "answer", sdp: await answer.text() });
  }

  end() {
    this.peer?.close();
    this.peer = undefined;
    this.audio.srcObject = null;
    this.tell();
  }

  tell() {
    this.button.textContent = this.peer ? this.dataset.end : this.dataset.listen;
    this.button.setAttribute("aria-pressed", String(Boolean(this.peer)));
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
