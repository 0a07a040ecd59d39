// Marks what waits long for new data while it shows the answer to another question. What is asked stands in the address;
// the same question asked again, as new data come, marks nothing.
const LATE = 400; // milliseconds
const shown = new WeakMap(); // the address whose answer an element shows

export async function markLate(root, loading) {
  const question = location.hash;
  const isOther = shown.has(root) && shown.get(root) !== question;
  const timer = setTimeout(() => root.classList.toggle("late", isOther), LATE);
  try {
    const answer = await loading;
    if (question === location.hash) shown.set(root, question);
    return answer;
  } finally {
    clearTimeout(timer);
    root.classList.remove("late");
  }
}
