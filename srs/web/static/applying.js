// After settings were saved: wait until another process answers, then show the page that they are on.
const note = document.querySelector("#applying");
const { to, process } = note.dataset;

/** Whether the process that saved was replaced by one that is ready. */
async function replaced() {
  try {
    const answer = await fetch("/health/live", { cache: "no-store" });
    return answer.ok && answer.headers.get("X-Process") !== process;
  } catch {
    return false;
  }
}

// Twice: for a moment the old process and the new one answer in turns.
for (let times = 0; times < 2; times = (await replaced()) ? times + 1 : 0) await new Promise((done) => setTimeout(done, 500));
location.replace(to);
