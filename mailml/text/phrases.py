"""The words by which mailers and people mark quotes, forwards, signatures and disclaimers, by language.

Collected from the translations of common mailers; ordered by language: English, German, French, Spanish,
Portuguese, Italian, Dutch, Swedish, Danish/Norwegian, Finnish, Polish, Czech/Slovak, Hungarian, Romanian,
Turkish, Russian, Ukrainian, Greek, Japanese, Chinese, Korean, Vietnamese, Indonesian, Arabic, Hebrew.
"""

from __future__ import annotations

WROTE = (
    "wrote|writes|schrieb|schreibt|geschrieben|a écrit|écrit|escribió|escribio|escreveu|ha scritto|scritto|scrive"
    "|schreef|heeft geschreven|geschreven|skrev|kirjoitti|napisał|napisała|napisał(a)|pisze|napsal|napsala|napsal(a)"
    "|napísal|napísal(a)|írta|ezt írta|a scris|yazdı|şunu yazdı|написал|написала|написал(а)|пишет|писал|написав"
    "|написала|пише|έγραψε|写道|寫道|작성|님이 작성|đã viết|menulis|كتب|כתב|כתבה|rakstīja|rašė|kirjutas|napisao|написа"
)

FROM = "from|von|de|da|van|från|fra|lähettäjä|od|feladó|de la|kimden|gönderen|от|от кого|від|από|差出人|发件人|寄件者|寄件人|보낸 사람|보낸사람|từ|dari|من|מאת"
SENT = (
    "sent|date|gesendet|datum|envoyé|envoyé le|enviado|enviado el|enviada em|enviado em|fecha|data|inviato|inviata"
    "|verzonden|skickat|sendt|dato|lähetetty|päivämäärä|wysłano|wysłane|odesláno|odoslané|elküldve|dátum|trimis"
    "|gönderildi|gönderilme tarihi|tarih|отправлено|дата|надіслано|στάλθηκε|ημερομηνία|送信日時|日付|发送时间|日期"
    "|傳送時間|寄件日期|보낸 날짜|날짜|đã gửi|ngày|terkirim|tanggal|تاريخ|التاريخ|תאריך|נשלח"
)
TO = (
    "to|an|à|a|para|aan|till|til|vastaanottaja|do|komu|pro|címzett|către|kime|kime|alıcı|кому|до|προς|宛先|收件人|收件者|받는 사람"
    "|받는사람|đến|kepada|إلى|אל|cc"
)
SUBJECT = (
    "subject|betreff|objet|sujet|asunto|assunto|oggetto|onderwerp|ämne|emne|aihe|temat|předmět|predmet|tárgy|subiect"
    "|konu|тема|θέμα|件名|主题|主題|主旨|제목|chủ đề|subjek|perihal|الموضوع|נושא"
)

ORIGINAL = (
    "original message|original appointment|ursprüngliche nachricht|originalnachricht|message d'origine|message original"
    "|mensaje original|mensagem original|messaggio originale|oorspronkelijk bericht|originalmeddelande"
    "|ursprungligt meddelande|oprindelig meddelelse|original meddelelse|opprinnelig melding|alkuperäinen viesti"
    "|wiadomość oryginalna|oryginalna wiadomość|původní zpráva|pôvodná správa|eredeti üzenet|mesaj original"
    "|orijinal mesaj|исходное сообщение|оригинальное сообщение|пересылаемое сообщение|оригінальне повідомлення"
    "|αρχικό μήνυμα|元のメッセージ|原始邮件|原始郵件|邮件原件|원본 메시지|thư gốc|pesan asli|الرسالة الأصلية|הודעה מקורית"
    "|reply message|reply separator"
)
FORWARDED = (
    "forwarded message|begin forwarded message|forwarded by|weitergeleitete nachricht|anfang der weitergeleiteten nachricht"
    "|message transféré|début du message transféré|début du message réexpédié|mensaje reenviado|inicio del mensaje reenviado"
    "|mensagem encaminhada|mensagem reencaminhada|início da mensagem encaminhada|messaggio inoltrato|inizio messaggio inoltrato"
    "|doorgestuurd bericht|begin doorgestuurd bericht|vidarebefordrat meddelande|vidarebefordrat brev|videresendt melding"
    "|videresendt meddelelse|videresendt besked|edelleen lähetetty viesti|välitetty viesti|przekazana wiadomość"
    "|wiadomość przekazana|wiadomość przekazana dalej|přeposlaná zpráva|preposlaná správa|továbbított üzenet"
    "|mesaj redirecționat|yönlendirilen ileti|iletilmiş mesaj|yönlendirilmiş ileti|пересланное сообщение"
    "|переслане повідомлення|προωθημένο μήνυμα|転送されたメッセージ|转发的邮件|轉寄郵件|转发邮件信息|전달된 메시지"
    "|thư được chuyển tiếp|pesan terusan|pesan yang diteruskan|رسالة مُعاد توجيهها|רسالة معاد توجيهها|הודעה שהועברה"
)

MOBILE = (
    "sent from my|sent from mail for windows|sent from outlook|sent from yahoo|sent from proton|sent with proton"
    "|get outlook for|sent via|sent using|von meinem|gesendet von meinem|gesendet von mail|gesendet mit|diese nachricht wurde von meinem"
    "|outlook für (?:ios|android)|holen sie sich outlook|envoyé de mon|envoyé depuis mon|envoyé à partir de|envoyé avec"
    "|télécharger outlook|obtenez outlook|enviado desde mi|enviado desde|obtener outlook|enviado do meu|enviado a partir do"
    "|obter o outlook|inviato da|inviato dal|scarica outlook|ottieni outlook|verstuurd vanaf|verzonden vanaf|outlook voor"
    "|skickat från|hämta outlook|sendt fra|hent outlook|få outlook|lähetetty|hanki outlook|wysłane z|wysłano z|pobierz program outlook"
    "|odesláno z|odoslané z|elküldve|trimis de pe|trimis din|отправлено с|отправлено из|надіслано з|στάλθηκε από|gönderildi"
    "|発信元|发自我的|發自我的|从我的|傳送自|보낸 편지|được gửi từ|gửi từ|dikirim dari|أرسلت من|أُرسلت من|נשלח מה"
)
# Where the phrase stands at the end of the line.
MOBILE_ENDS = "から送信|에서 보냄|'?(?:umdan|dan|den|imden|um'dan) gönderildi|gesendet|iphonesta|puhelimesta"

CLOSING = (
    "(?:best|kind|kindest|warm|warmest|many thanks and best)? ?regards|best wishes|all the best|sincerely|yours sincerely"
    "|yours faithfully|yours truly|sincerely yours|respectfully|cheers|many thanks|thanks|thank you|thanks again"
    "|thanks in advance|thanks and regards|thanks & regards|thank you in advance|br|best|rgds"
    "|(?:mit )?(?:freundlichen?|besten?|schönen?|herzlichen?|lieben?|viele|vielen) (?:grü(?:ß|ss)en?|dank|gru(?:ß|ss))"
    "|viele grüße|beste grüße|liebe grüße|freundliche grüße|mfg|lg|vg|danke|gruß|grüße|hochachtungsvoll"
    "|(?:bien )?cordialement|bien à vous|sincères salutations|salutations(?: distinguées)?|meilleures salutations|merci|merci d'avance|à bientôt"
    "|(?:un )?(?:cordial )?saludos?|saludos cordiales|un saludo|atentamente|gracias|muchas gracias|gracias de antemano"
    "|atenciosamente|cumprimentos|com os melhores cumprimentos|melhores cumprimentos|obrigad[oa]|abraços?|att"
    "|cordiali saluti|distinti saluti|saluti|grazie|grazie mille|un saluto|met vriendelijke groet(?:en)?|vriendelijke groet(?:en)?"
    "|groet(?:en|jes)?|mvg|alvast bedankt|bedankt|med vänliga hälsningar|vänliga hälsningar|vänligen|mvh|hälsningar|tack"
    "|med venlig hilsen|venlig hilsen|med vennlig hilsen|vennlig hilsen|hilsen|tak|takk|ystävällisin terveisin|terveisin|kiitos|yst\\. terv\\."
    "|z poważaniem|pozdrawiam|pozdrowienia|z wyrazami szacunku|dziękuję|s pozdravem|s pozdravom|děkuji|ďakujem"
    "|üdvözlettel|tisztelettel|köszönöm|cu stimă|cu respect|mulțumesc|saygılarımla|iyi çalışmalar|teşekkürler"
    "|с уважением|с наилучшими пожеланиями|спасибо|з повагою|дякую|με εκτίμηση|ευχαριστώ|よろしくお願いいたします|よろしくお願いします|敬具"
    "|此致|敬礼|谢谢|祝好|감사합니다|trân trọng|xin cảm ơn|terima kasih|hormat saya|مع أطيب التحيات|شكرا|בברכה|תודה"
)

DISCLAIMER = (
    "this (?:e-?mail|message|communication)(?: message)?(?:,? (?:and|including|together with) (?:any|all|its) [a-z ]{0,40}"
    "(?:attach|files)[a-z ]{0,40},?)? (?:is|are|may|contains?)\\b.{0,80}(?:confidential|privileged|intended)"
    "|(?:confidentiality|disclaimer|legal) (?:notice|note)\\b|disclaimer:"
    "|the information (?:contained |transmitted )?in this (?:e-?mail|message)|if you are not the intended recipient"
    "|please consider the environment before printing"
    "|diese (?:e-?mail|nachricht) (?:und|kann|enthält|ist).{0,80}(?:vertraulich|rechtlich)|diese e-?mail enthält vertrauliche"
    "|(?:ce|le présent) (?:message|courriel|e-?mail).{0,80}confidentiel|este (?:mensaje|correo|e-?mail|mensagem).{0,100}confiden"
    "|esta mensagem.{0,100}confiden|(?:questo|il presente) (?:messaggio|e-?mail).{0,100}(?:riservat|confidenz)"
    "|dit (?:e-?mail)?bericht.{0,100}vertrouwelijk|deze e-?mail.{0,100}(?:vertrouwelijk|uitsluitend)"
    "|detta (?:e-postmeddelande|meddelande|mail).{0,100}konfidentiell|denne e-?mail.{0,100}fortrolig"
    "|niniejsza wiadomość.{0,100}poufn|ta wiadomość.{0,100}poufn|tato (?:zpráva|e-?mail).{0,100}důvěrn"
    "|настоящее (?:сообщение|письмо).{0,100}конфиденциальн|это (?:сообщение|письмо).{0,100}конфиденциальн"
    "|bu (?:e-?posta|ileti|mesaj).{0,100}gizli"
)

PREFIXES = "re|fw|fwd|aw|wg|wtr|sv|vs|vb|vl|tr|rv|res|enc|odp|pd|ynt|ilt|antw|doorst|rif|i|r|ref|atb|hs|回复|答复|转发|回覆|轉寄|返信|転送|회신|전달|ответ|пересл"
