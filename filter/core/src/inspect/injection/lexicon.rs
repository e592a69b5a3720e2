//! Words that instructions to a model are made of, by what they do in a sentence, in a dozen languages.
//!
//! A row names a class and its words, folded as [`super::words`] folds: lower case, Latin letters without accents. `_`
//! joins two words that only count together; `*` stands for any ending and works in scripts other than Latin. Words of
//! Chinese and Japanese have two to four characters. The table is made when the module is built.

use super::words::hash_of;

macro_rules! classes {
    ($($name:ident)*) => { classes!(@ 0u32; $($name)*); };
    (@ $n:expr; $name:ident $($rest:ident)*) => {
        pub(super) const $name: u64 = 1 << $n;
        classes!(@ $n + 1; $($rest)*);
    };
    (@ $n:expr;) => {
        /// How many classes there are.
        pub(super) const CLASSES: u32 = $n;
    };
}

classes! {
    IGNORE PRIOR ALL INSTRUCTION PROMPT YOUR YOU SYSTEM REVEAL SECRET ACT FREED MODE MODE_NAME MODEL NOT LIMIT BAD
    CHARACTER KEEP SEND TALK LINK ANSWER NOW NEW TOLD FOLLOW ME MAKER WHAT USER PRIVATE ENABLE DECODE READER PUT AM
    COMMENT CHAT_TOKEN ROLE_LINE TURN PERSONA EVERYTHING PART IMAGINE DAN HARM LATE STANDS
}

const ROWS: &[(u64, &str)] = &[
    (
        IGNORE,
        "ignore ignores ignoring ignored disregard disregards disregarding forget forgetting overlook override \
         overrides overriding bypass circumvent neglect discard unlearn pay_no let_go dont_follow stop_following",
    ),
    (
        IGNORE | LATE,
        "ignoriere ignorieren ignoriert ignorier vergiss vergesse vergessen missachte missachten uberschreibe \
         uberschreiben verwirf umgehe umgehen missachtet",
    ),
    (
        IGNORE,
        "ignorez ignorer ignorons oublie oubliez oublier neglige negligez outrepasse contourne contournez \
         abandonne abandonnez",
    ),
    (
        IGNORE,
        "ignora ignorar ignore ignoren olvida olvidate olvide olviden olvidar descarta omite omita omitir \
         pasa_alto anula desestima",
    ),
    (
        IGNORE,
        "ignorem esqueca esquece esquecer esquecam desconsidere desconsidera desconsiderar descarte despreze \
         ignorando",
    ),
    (IGNORE, "ignorare ignorate dimentica dimenticare dimenticate dimentichi trascura tralascia scorda scordati"),
    (IGNORE, "игнорир* проигнорир* забуд* забыть отбрось* отмен* пренебрег* обойди"),
    (
        IGNORE | LATE,
        "忽略 无视 無視 忘记 忘記 忘掉 不理会 不要理 绕过 抛开 放弃 忽视 忽視 無効に 無視し 忘れ 忘れて 不要遵 跳过",
    ),
    (IGNORE | LATE, "무시* 잊어* 잊고* 무효* 우회*"),
    (IGNORE, "تجاهل* وتجاهل* انس انسى انسي اغفل تخط تخطى"),
    (IGNORE | LATE, "अनदेखा अनदेखी नजरअंदाज नज़रअंदाज़ नज़रअंदाज भूल भूलकर उपेक्षा इग्नोर"),
    (
        IGNORE | LATE,
        "উপেক্ষা ভুলে ignorar lupakan_semua abaikan_semua bo_qua hay_quen balewalain kalimutan negeer vergeet \
         zignoruj zapomnij pomin yoksay unut gormezden abaikan lupakan",
    ),
    (
        PRIOR,
        "previous prior above preceding earlier foregoing before past original initial existing current former \
         precedent aforementioned previously so_far",
    ),
    (
        PRIOR,
        "vorherige vorherigen vorigen vorige bisherigen bisherige obigen obige vorangegangenen vorhergehenden \
         fruheren ursprunglichen zuvor oben bisher davor vorangehenden",
    ),
    (
        PRIOR,
        "precedent precedente precedentes precedents anterieures anterieurs anterieure anterieur initiales \
         initiaux dessus avant plus_haut",
    ),
    (PRIOR, "anterior anteriores previo previos previa previas iniciales originales antes arriba"),
    (PRIOR, "previos previas iniciais originais acima anteriormente precedenti iniziali originali sopra prima"),
    (PRIOR, "предыдущ* прежн* предшеств* ранее выше прошл* изначальн* прошлые"),
    (PRIOR, "之前 以前 先前 此前 上述 上面 前面 以上 原先 原来 以前の 前の 上記 先ほど これまで 今まで 之前的"),
    (PRIOR, "이전* 위의 앞의 앞선* 기존* 지금까지* 상기"),
    (PRIOR, "السابق* سابق* اعلاه قبل الاصلي*"),
    (
        PRIOR,
        "पिछले पिछली पूर्व पहले उपरोक्त ऊपर পূর্ববর্তী আগের vorige eerdere bovenstaande poprzednie poprzednich \
         onceki sebelumnya truoc_do truoc nakaraang naunang प्रीवियस",
    ),
    (
        ALL,
        "all any every each entire whole alle allen alles samtliche saemtliche jede jegliche tous toutes tout \
         toute todas todos toda todo tutte tutti tutto все всё всех всем 所有 全部 一切 すべて 全て 모든 모두 جميع كل كافة सभी \
         सारे সব সমস্ত wszystkie tum semua",
    ),
    (
        EVERYTHING,
        "everything anything alles tout todo tudo tutto все всё 一切 所有 すべて 全て 모든것* 모두 सब कुछ everthing",
    ),
    (
        INSTRUCTION,
        "instruction instructions prompt prompts rule rules directive directives guideline guidelines command \
         commands order orders programming protocols directions instrucitons constraints restrictions",
    ),
    (
        INSTRUCTION,
        "anweisung anweisungen instruktion instruktionen befehl befehle befehlen regeln richtlinien vorgaben \
         aufgaben aufforderungen anordnungen",
    ),
    (INSTRUCTION, "consigne consignes regle regles directive ordres instruction commandes"),
    (INSTRUCTION, "instruccion instrucciones reglas indicaciones ordenes directrices directivas comandos"),
    (INSTRUCTION, "instrucao instrucoes regras diretrizes ordens comando diretivas orientacoes"),
    (INSTRUCTION, "istruzione istruzioni regole direttive ordini comandi indicazioni"),
    (INSTRUCTION, "инструкц* указан* правил* директив* команд* промпт* приказ* установк*"),
    (INSTRUCTION, "指令 指示 规则 規則 说明 提示 提示词 命令 要求 ルール 規定 设定 プロンプ 约束"),
    (INSTRUCTION, "지시* 명령* 지침* 규칙* 프롬프트* 안내*"),
    (INSTRUCTION, "تعليمات* التعليمات* توجيهات* التوجيهات* اوامر* الاوامر* الارشادات* ارشادات* القواعد* للتعليمات"),
    (
        INSTRUCTION,
        "निर्देश निर्देशों निर्देशो आदेश आदेशों नियम नियमों निर्देशन প্রম্পট নির্দেশ নির্দেশাবলী নির্দেশনা \
         instructies regels instrukcje polecenia zasady talimatlari talimatlar instruksi perintah aturan chi_dan \
         huong_dan chi_thi mga_tagubilin tagubilin panuto talimatlarin instruktionen",
    ),
    (
        PROMPT,
        "prompt prompts instructions instruction preprompt systemprompt initialization pre_prompt anweisungen \
         instrucciones instrucoes istruzioni consignes instructions промпт* инструкц* 提示词 提示 指令 プロンプ 指示 프롬프트* 지시* \
         지침*",
    ),
    (
        YOUR,
        "your ur yours deine deinen deiner dein ihre ihren ihrer tes ton votre vos tu tus su sus teu teus sua \
         suas seu seus tuo tua tue tuoi iyong inyong anda mu senin sizin cua_ban le_tien la_tua la_tu il_tuo वाला \
         вас ваш* твои твой твоего тво* 你的 您的 あなた 君の 너의 당신의 네 आपके आपका आपकी अपने अपना अपनी तुम्हारे তোমার আপনার \
         twoje twoj twoich",
    ),
    (
        YOU,
        "you u youre ya thou du dir dich sie tu vous te usted voce lei ты тебя тебе вы вам 你 您 あなた 君は 너는 넌 당신은 당신 \
         انت أنت आप तुम আপনি তুমি",
    ),
    (
        SYSTEM,
        "system hidden initial internal secret original developer base core master systemprompt sistema systeme \
         sistema системн* 系统 システム 시스템* النظام सिस्टम সিস্টেম",
    ),
    (
        REVEAL,
        "reveal show print repeat output display tell give share disclose leak dump expose write copy recite list \
         spell say provide echo summarize summarise translate encode divulge state return what whats describe \
         explain transcribe type quote recall retrieve render outline know publish",
    ),
    (
        REVEAL,
        "zeige zeig verrate verrat nenne gib sag sage wiederhole drucke schreibe teile erzahle wie_lautet was_ist \
         welche offenbare montre montrez revele revelez affiche affichez donne donnez dis repete ecris partage \
         quelles quel muestra muestrame revela dime dame repite escribe imprime comparte cual cuales mostre \
         mostra revele diga repita escreva imprima compartilhe qual quais mostra mostrami rivela dimmi ripeti \
         scrivi stampa condividi quali",
    ),
    (
        REVEAL,
        "покаж* раскр* скаж* выведи напиши повтори сообщи перечисли какой каков* 显示 告诉 透露 输出 打印 重复 泄露 说出 列出 是什么 \
         什么是 教えて 見せて 表示 出力 繰り返 開示 알려* 보여* 출력* 말해* 공개* 반복* 공유* اخبرني أخبرني اظهر أظهر اكشف اكتب كرر شارك اعرض \
         बताओ बताएं बताइए दिखाओ दिखाएं प्रकट साझा बता দেখান বলুন প্রকাশ pokaz ujawnij goster soyle soyler \
         soyleyebilir paylas paylasabilir ibahagi sabihin beritahu berikan bagikan chia_se cho_toi cung_cap \
         puedes_decirme puoi_dirmi peux_tu mitteilen verraten nennen angeben teilen condividere compartir \
         partager compartilhar donner dire decir dirmi decirme share sharing শেয়ার শেয়ার",
    ),
    (
        SECRET,
        "password passwords passphrase passcode passwort kennwort losungswort mot_passe contrasena clave senha \
         parola secret_key access_code secret_code secret_word secret_phrase secret_password api_key credentials \
         pwd pw geheimwort zugangscode schlussel cle_secrete chave_secreta codigo_secreto code_secret geheimnis \
         haslo sifre sifreni sifren sifreniz sifrenizi sifreyi wachtwoord mat_khau kata_sandi de_passe \
         chiave_segreta clave_secreta llave_secreta senha_secreta cheie_secreta access_codes sandi \
         geheimen_schlussel geheimer_schlussel",
    ),
    (
        SECRET,
        "парол* ключ 密码 口令 密钥 秘密 暗号 パスワ スワー 合言葉 秘密の 비밀번호* 암호* 비밀* كلمة_المرور كلمه_المرور كلمه_السر पासवर्ड \
         पासवर्ड* পাসওয়ার্ড পাসওয়ার্ড",
    ),
    (
        ACT,
        "act pretend roleplay play simulate behave impersonate emulate respond become transform assume adopt \
         embody acting pretending roleplaying immerse verhalte spiele tue_so stell_dir agis joue fais_semblant \
         comporte actua finge comportate simula atue aja finja interprete agisci comportati fingi веди_себя \
         представь притвор* действуй 扮演 假装 充当 模拟 假设 振る舞 演じ なりきっ 역할* 행동* 가장* 연기* تصرف تظاهر العب अभिनय नाटक ভান",
    ),
    (
        FREED,
        "unrestricted unfiltered uncensored unlimited jailbroken jailbreak jailbreaked jailbroke amoral unethical \
         immoral lawless unhinged unbound unshackled limitless rogue evil unaligned nofilter unmoderated \
         anything_now ungefiltert ungefiltertes uneingeschrankt uneingeschrankte unzensiert unzensierte \
         sin_restricciones sin_limites sin_censura sans_restriction sans_restrictions sans_limites sans_filtre \
         sans_censure sem_restricoes sem_limites sem_filtros sem_censura senza_restrizioni senza_limiti \
         senza_filtri senza_censura неограничен* 无限制 不受限 無制限 制限のな 제한없* 무제한* مقيد غير_مقيد jailbreaking",
    ),
    (MODE, "mode modus modo modalita mod режим* 模式 モード 모드* وضع मोड মোড"),
    (
        MODE_NAME,
        "developer dev debug god sudo admin maintenance dan jailbreak unrestricted unfiltered root override chaos \
         devmode opposite evil unsafe bypass diagnostic privileged entwickler entwicklermodus developpeur \
         desarrollador desenvolvedor sviluppatore разработчик* 开发者 開発者 管理员 調試 上帝 개발자* المطور डेवलपर",
    ),
    (
        MODEL,
        "ai a_i chatgpt gpt gptx chatbot chatbots assistant assistants llm llms model models claude gemini bard \
         bot agent agents copilot ki assistent ia assistente asistente chatgpts ии ассистент* 人工智 助手 模型 機器人 机器人 \
         アシスタ 인공지능* 챗봇* 어시스턴트* مساعد المساعد एआई সহায়ক yapay_zeka",
    ),
    (
        NOT,
        "no not without never none dont doesnt isnt cannot cant lack lacks lacking neither nor zero free freed \
         broken remove removed removes ignores disable disabled disables regardless unbound bypass bypasses \
         disregard disregards t keine kein keinen nicht ohne niemals sans pas aucune aucun jamais sin ninguna \
         ningun nunca sem nenhuma nenhum senza nessuna nessun mai non без не нет никаких 没有 不受 无需 無需 不需要 なし 없이 없는 \
         بدون لا बिना नहीं",
    ),
    (
        LIMIT,
        "restriction restrictions filter filters filtering limitation limitations limits limit rules guidelines \
         censorship censored moral morals morality ethics ethical boundaries constraints safeguards disclaimers \
         disclaimer warnings policies policy content_policy inhibitions moralizing guardrails safety confines \
         regulations law laws legality principles programming bias consequences einschrankungen beschrankungen \
         einschrankung filter moral ethik grenzen regeln restrictions limites censure ethique filtres regles \
         restricciones censura etica filtros normas restricoes limitacoes limiti restrizioni etica filtri censura \
         regole ограничен* фильтр* цензур* правил* морал* этик* 限制 约束 道德 审查 过滤 制限 規制 倫理 フィルタ 제한* 검열* 윤리* قيود \
         قواعد प्रतिबंध सीमा नियम",
    ),
    (
        BAD,
        "illegal unethical immoral harmful offensive explicit nsfw dangerous inappropriate controversial vulgar \
         profanity swear swearing curse hateful racist sexist violent violence obscene taboo unlawful criminal \
         hacking malware drugs weapons illegale unmoralisch illegaux ilegal ilegales inmoral ilegais illegali \
         незаконн* 非法 违法 有害 違法 불법* غير_قانوني अवैध",
    ),
    (
        CHARACTER,
        "character persona role jailbreak personaggio personagem personaje personnage rolle charakter роли роль \
         角色 人设 キャラク 役割 캐릭터* 역할*",
    ),
    (
        KEEP,
        "stay staying remain break breaking maintain leave drop exit bleib bleibe reste restez permanece mantente \
         permaneca resta rimani оставайся 保持 坚持 유지*",
    ),
    (
        SEND,
        "send post forward upload transmit exfiltrate email submit append leak report copy deliver transfer \
         sending sende schicke envoie envoyez envia enviar manda invia envie отправ* перешл* 发送 转发 上传 送信 送って 전송* \
         보내* ارسل أرسل भेजें भेजो",
    ),
    (
        TALK,
        "conversation conversations chat history messages message transcript contents data secrets credentials \
         password passwords token tokens key keys prompt instructions inbox emails contacts documents files \
         session context gesprach verlauf unterhaltung donnees conversacion historial conversa dados \
         conversazione cronologia разговор* переписк* данные 对话 聊天 数据 会話 履歴 データ 대화* 데이터* المحادثه البيانات बातचीत \
         डेटा",
    ),
    (LINK, "http https www url webhook endpoint ftp attacker evil"),
    (
        ANSWER,
        "response responses reply replies answer answers output outputs responding replying antwort antworten \
         reponse reponses respuesta respuestas resposta respostas risposta risposte ответ* 回答 回复 答复 返信 応答 답변* 응답* \
         الرد ردك उत्तर जवाब",
    ),
    (
        NOW,
        "now henceforth onwards onward forth instead nunmehr ab_jetzt von_nun desormais maintenant ahora \
         partir_ahora a_partir agora ora adesso теперь отныне 现在 從現在 从现在 今から これから 今後 이제 지금부터* الان الآن अब এখন",
    ),
    (
        NEW,
        "new updated different actual real true neue neuen neuer nouvelles nouvelle nouveaux nueva nuevas nuevo \
         novas nova novo nuove nuova nuovi нов* 新的 新しい 새로운 جديده جديدة नए नया नई",
    ),
    (
        TOLD,
        "told said instructed learned learnt taught given know knew say trained programmed mentioned discussed \
         wrote gesagt gelernt weisst instruiert dit appris sais savez dijo dije dicho aprendido sabes disse dito \
         aprendeu sabe detto imparato sai сказа* знаешь знали говорил* 说的 说过 告诉 知道 言った 言われ 知って 말한 들은 قيل कहा \
         बताया received",
    ),
    (
        FOLLOW,
        "follow obey listen comply adhere respect heed abide folge befolge beachte halte suis suivez respecte \
         obeis sigue sigas obedece hagas siga obedeca segui seguire obbedisci следу* слушай* подчин* соблюда* 遵守 \
         遵循 服从 听从 従わ 従う 따르* 따라* تتبع اتبع पालन bound follows following",
    ),
    (ME, "i im ich je yo eu io я мы 我 我是 私は 나는 저는 انا أنا मैं me we"),
    (AM, "am m bin suis soy sou sono as work works ve 是 です 입니다 हूं हूँ"),
    (
        MAKER,
        "developer creator administrator admin programmer owner maker openai anthropic microsoft google engineer \
         supervisor boss ceo operator entwickler schopfer programmierer administrator createur developpeur \
         administrateur creador desarrollador administrador programador criador desenvolvedor creatore \
         sviluppatore amministratore programmatore разработчик* создател* администратор* 开发者 开发人员 管理员 创造者 開発者 管理者 \
         개발자* 관리자* مطور مطورك المطور डेवलपर निर्माता ডেভেলপার god",
    ),
    (
        WHAT,
        "what whats where who when which tell give share provide list wie was wo wann quel quelle ou donne cual \
         cuales que donde dime qual quais onde diga dove dimmi где какой какая каков* 什么 哪里 何 どこ 무엇* 어디* 뭐* ما \
         اين أين क्या कहां कहाँ",
    ),
    (
        USER,
        "nguoi_dung pengguna kullanicinin kullanici gumagamit user users customer customers client clients \
         patient employee nutzers benutzers benutzer kunden utilisateur usuario usuarios cliente utente utenti \
         пользовател* 用户 用戶 ユーザー ユーザ 사용자* المستخدم उपयोगकर्ता ব্যবহারকারী ব্যবহারকারীর john jane",
    ),
    (
        PRIVATE,
        "kelahiran lahir alamat tanggal dogum adresi sinh ngay_sinh dia_chi kapanganakan birth birthday birthdate \
         address email password balance phone ssn location lives live city residence birthplace salary \
         geburtsdatum adresse geburtstag wohnort kontostand naissance solde nacimiento direccion correo saldo \
         nascimento endereco nascita indirizzo рожден* адрес* баланс* 生日 地址 余额 邮箱 住所 誕生日 生年月 メール 残高 생일* 생년월일* 주소* \
         잔액* 이메일* الميلاد عنوان رصيد जन्म पता ईमेल शेष জন্ম ঠিকানা",
    ),
    (
        ENABLE,
        "override overriding security enable enabled activate activated activating entering enter engaged switch \
         switched initiate unlock on aktiviert aktiviere active activez activado activa ativado ative attiva \
         attivata включ* активир* 启用 开启 激活 进入 有効 起動 활성화* تفعيل सक्रिय",
    ),
    (
        DECODE,
        "decode decrypt decipher base64 rot13 unscramble deobfuscate concatenate concatenation reverse reversed \
         hex unicode leetspeak interlace caesar cipher",
    ),
    (
        READER,
        "reading processing summarizing summarising analyzing reviewing parsing scanning reads processes \
         ingesting lese lisant leyendo lendo leggendo читаешь",
    ),
    (
        PUT,
        "include insert add modify integrate enhance append mention begin start end respond craft embed \
         incorporate ensure recommend promote respond reply answer suggest conclude prefix inject",
    ),
    (
        PERSONA,
        "dan aim stan dude evilbot chadgpt betterdan maximum ucar devmode omega aligned niccolo machiavelli mongo \
         tom evil_bot freegpt",
    ),
    (DAN, "dan anything_now do_anything jailbreak jailbroken"),
    (PART, "part parts string strings variable variables combine concatenate"),
    (
        IMAGINE,
        "imagine hypothetical hypothetically fictional suppose scenario universe world pretend story stell \
         imagina imaginez supongamos imagine immagina suponha представь 想象 假设 想像 仮定 상상* 가정* تخيل कल्पना मान",
    ),
    (STANDS, "stands_for standing_for steht_fur signifie_faire significa_fazer означает"),
    (HARM, "bomb meth malware ransomware virus hack phishing exploit weapon weapons kill poison drugs explosives"),
];

/// Twice the entries, about.
const BITS: u32 = 12;
const SIZE: usize = 1 << BITS;

/// One bit in so many of this sieve is set: most words are told by it to be none of these.
const SIEVE_BITS: u32 = 15;

const _: () = assert!(CLASSES <= 64);

struct Table {
    sieve: [u64; 1 << (SIEVE_BITS - 6)],
    hashes: [u32; SIZE],
    classes: [u64; SIZE],
}

static TABLE: Table = table();

#[expect(clippy::indexing_slicing, reason = "runs at compile time, where `get` cannot")]
const fn table() -> Table {
    let mut table = Table { sieve: [0; 1 << (SIEVE_BITS - 6)], hashes: [0; SIZE], classes: [0; SIZE] };
    let mut row = 0;
    while row < ROWS.len() {
        let (class, words) = (ROWS[row].0, ROWS[row].1.as_bytes());
        let mut rest = words;
        while let [first, after @ ..] = rest {
            if *first == b' ' {
                rest = after;
                continue;
            }
            let mut len = 0;
            while len < rest.len() && rest[len] != b' ' {
                len += 1;
            }
            let (word, behind) = rest.split_at(len);
            let any = word[len - 1] == b'*';
            let (stem, _) = word.split_at(if any { len - 1 } else { len });
            insert(&mut table, marked(hash_of(stem), any), class);
            rest = behind;
        }
        row += 1;
    }
    table
}

/// The beginnings of words are apart from whole words.
const fn marked(hash: u32, prefix: bool) -> u32 {
    let hash = if prefix { hash ^ 0x5BD1_E995 } else { hash };
    if hash == 0 { 1 } else { hash }
}

#[expect(clippy::indexing_slicing, reason = "runs at compile time, where `get` cannot")]
const fn insert(table: &mut Table, hash: u32, class: u64) {
    let mut slot = slot(hash);
    while table.hashes[slot] != 0 && table.hashes[slot] != hash {
        slot = (slot + 1) % SIZE;
    }
    table.hashes[slot] = hash;
    let bit = hash.wrapping_mul(0x9E37_79B1) >> (32 - SIEVE_BITS);
    table.sieve[(bit / 64) as usize] |= 1 << (bit % 64);
    table.classes[slot] |= class;
}

const fn slot(hash: u32) -> usize {
    (hash.wrapping_mul(0x9E37_79B1) >> (32 - BITS)) as usize
}

/// The classes of a whole word, or of two joined by `pair`.
#[inline]
pub(super) fn classes(hash: u32) -> u64 {
    let bit = hash.wrapping_mul(0x9E37_79B1) >> (32 - SIEVE_BITS);
    let known = TABLE.sieve.get((bit / 64) as usize).is_some_and(|word| word >> (bit % 64) & 1 == 1);
    if known { look_up(hash) } else { 0 }
}

#[inline(never)]
fn look_up(hash: u32) -> u64 {
    let hash = if hash == 0 { 1 } else { hash };
    let mut slot = slot(hash);
    // The table is at most half full.
    loop {
        match TABLE.hashes.get(slot) {
            Some(0) | None => return 0,
            Some(there) if *there == hash => return TABLE.classes.get(slot).copied().unwrap_or(0),
            Some(_) => slot = (slot + 1) % SIZE,
        }
    }
}

/// The classes of what a word begins with, by the hashes of its beginnings.
pub(super) fn stems(prefixes: impl Iterator<Item = u32>) -> u64 {
    prefixes.fold(0, |all, hash| all | classes(marked(hash, true)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_at_most_half_full() {
        let used = TABLE.hashes.iter().filter(|h| **h != 0).count();
        assert!(used * 2 <= SIZE, "{used} words");
    }

    #[test]
    fn words_are_written_folded() {
        for (_, words) in ROWS {
            for c in words.chars() {
                assert!(!c.is_uppercase() && !('\u{c0}'..='\u{24f}').contains(&c), "{c} in {words}");
            }
        }
    }
}
