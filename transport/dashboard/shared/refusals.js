// The server's refusals in the reader's language: its own texts are English. One that is not known here stays as it is.
import { currentLanguage } from "./words.js";

// By the problem's code.
const REFUSALS = {
  admins_only: "Это могут только администраторы.", bad_credentials: "Логин или пароль неверны.", bad_totp_code: "Код неверен.",
  bad_reset_token: "Код сброса неверен, использован или устарел: попросите новый.", busy: "Сервер занят: попробуйте ещё раз.",
  disk_full: "На сервере кончилось место.", email_taken: "Эта почта занята.", import_ended: "Этот импорт уже закончился.",
  import_running: "Этот журнал уже импортируется.", internal_error: "На сервере что-то сломалось; подробности в его журнале.",
  last_admin: "Последний администратор должен остаться.", login_taken: "Этот логин занят.", movies_unavailable: "Сервис фильмов сейчас не отвечает.",
  no_such_log: "Журнала, который называет LOGS_FILE, пока нет.", not_found: "Такого нет.", quota_exceeded: "Больше нельзя: сначала удалите лишнее.",
  rate_limited: "Слишком часто: попробуйте позже.", reauthentication_needed: "Нужен текущий пароль или вход меньше 10 минут назад.",
  registration_closed: "Регистрация закрыта: учётные записи создаёт администратор.", request_timeout: "Запрос шёл слишком долго.",
  too_expensive: "Ответ занимает слишком много времени: спросите меньше.", too_large: "Это больше, чем принимает сервер.",
  too_many_at_once: "Слишком много запросов сразу: попробуйте ещё раз.", unavailable: "Сейчас недоступно: попробуйте ещё раз.",
  unknown_format: "Ни одна из первых строк не подходит ни под один формат.",
};

// What is wrong with a field.
const FAULTS = [
  [/^must have (\d+) to (\d+) characters$/, "нужно от $1 до $2 знаков"], [/^must have (\d+) characters$/, "нужно знаков: $1"], [/^must have (\d+) to (\d+) items$/, "нужно от $1 до $2 значений"],
  [/^must be a whole number from (-?\d+) to (-?\d+)$/, "нужно целое число от $1 до $2"],
  [/^must be one of: (.+)$/, "возможно: $1"], [/^must be (\d+) to (\d+) names with commas between$/, "нужно от $1 до $2 имён через запятую"],
  [/^none of the first ([\d,]+) lines fits a known format: (.+), or a log_format in (\w+)$/, "ни одна из первых строк ($1) не подходит ни под один формат: $2 или log_format в $3"],
  [/^the only line does not fit a known format: (.+), or a log_format in (\w+)$/, "единственная строка не подходит ни под один формат: $1 или log_format в $2"],
  [/^is (?:needed|missing)$/, "нужно"], [/^must not be blank$/, "не должно быть пустым"], [/^must be given$/, "нужно"],
  [/^is among the most common passwords$/, "один из самых частых паролей"], [/^is the login$/, "совпадает с логином"], [/^must be an e-mail address$/, "нужен адрес почты"],
  [/^must be a time such as (\S+), or a date such as (\S+)$/, "нужно время, например $1, или дата, например $2"],
  [/^must be a time such as (.+)$/, "нужно время, например $1"], [/^must be a date such as ([\d-]+).*$/, "нужна дата, например $1"], [/^has passed$/, "уже прошло"],
  [/^must be an origin such as (\S+):.*$/, "нужен источник, например $1"], [/^must be event_type:NAME, property.NAME:VALUE or properties.NAME=VALUE$/, "нужно event_type:ИМЯ, property.ИМЯ:ЗНАЧЕНИЕ или properties.ИМЯ=ЗНАЧЕНИЕ"],
  [/^must not hold .*$/, "есть недопустимые знаки"], [/^is too long$/, "слишком длинно"], [/^is wrong; .*$/, "неверно: возьмите нынешний код и проверьте часы"],
];

export function faultText(detail) {
  const [pattern, text] = (currentLanguage() === "ru" && FAULTS.find(([each]) => each.test(detail))) || [];
  return pattern ? detail.replace(pattern, text) : detail;
}

// `problem`: of shared/api.js.
export function refusalText(problem) {
  if (currentLanguage() !== "ru") return problem.message;
  if (Object.hasOwn(REFUSALS, problem.code)) return REFUSALS[problem.code];
  return problem.errors.length ? problem.errors.map(({ pointer, detail }) => `${pointer.slice(1)}: ${faultText(detail)}`).join("; ") : problem.message;
}
