// What the page does better with a script. Without one everything still works: forms are forms.
"use strict";

const files = document.getElementById("files");

if (files) {
  const form = document.getElementById("judge");
  const chosen = document.getElementById("chosen");
  const register = document.getElementById("register");
  const rate = document.getElementById("max_fpr");
  document.querySelectorAll(".scripted").forEach((one) => { one.hidden = false; });

  const list = () => {
    chosen.replaceChildren(...Array.from(files.files, (file) => {
      const item = document.createElement("li");
      item.textContent = `${file.name}, ${Math.max(1, Math.round(file.size / 1000))} kB`;
      return item;
    }));
    chosen.hidden = files.files.length < 2;
  };

  const add = (more) => {
    const all = new DataTransfer();
    for (const file of [...files.files, ...more]) all.items.add(file);
    files.files = all.files;
    list();
  };

  const holdsFiles = (event) => Array.from(event.dataTransfer?.types ?? []).includes("Files");
  let depth = 0;
  addEventListener("dragenter", (event) => {
    if (holdsFiles(event)) { depth += 1; document.body.classList.add("dropping"); }
  });
  addEventListener("dragleave", (event) => {
    if (holdsFiles(event)) { depth -= 1; document.body.classList.toggle("dropping", depth > 0); }
  });
  addEventListener("dragover", (event) => { if (holdsFiles(event)) event.preventDefault(); });
  addEventListener("drop", (event) => {
    if (!holdsFiles(event)) return;
    event.preventDefault();
    depth = 0;
    document.body.classList.remove("dropping");
    add(event.dataTransfer.files);
  });
  addEventListener("paste", (event) => {
    const pasted = event.clipboardData?.files ?? [];
    if (pasted.length) { event.preventDefault(); add(pasted); }
  });
  files.addEventListener("change", list);

  // a kind of text has the rates that enough of its texts were there for
  const fit = () => {
    for (const option of rate.options) {
      option.disabled = !option.dataset.registers.split("\n").includes(register.value);
    }
    if (rate.selectedOptions[0]?.disabled) {
      rate.value = Array.from(rate.options).find((option) => !option.disabled).value;
    }
  };
  register.addEventListener("change", fit);
  addEventListener("pageshow", () => {
    fit();
    list();
    document.getElementById("go").disabled = false;
    document.getElementById("waiting").hidden = true;
  });
  form.addEventListener("submit", () => {
    document.getElementById("go").disabled = true;
    document.getElementById("waiting").hidden = false;
  });
}

const progress = document.getElementById("progress");

if (progress) {
  const ask = async () => {
    try {
      const answer = await fetch(progress.dataset.progress);
      const now = await answer.json();
      if (!answer.ok || now.state !== "working") { location.reload(); return; }
      document.getElementById("bar").value = now.percent;
      document.getElementById("says").textContent = now.says;
    } catch {
      document.getElementById("says").textContent = "The server does not answer; trying again …";
    }
    setTimeout(ask, 500);
  };
  setTimeout(ask, 300);
}
