// Marks what waits long for new data: until they come, it shows the answer to an older question.
const LATE = 400; // milliseconds

export async function markLate(root, loading) {
  const timer = setTimeout(() => root.classList.add("late"), LATE);
  try {
    return await loading;
  } finally {
    clearTimeout(timer);
    root.classList.remove("late");
  }
}
