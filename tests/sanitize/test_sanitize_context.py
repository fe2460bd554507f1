"""Names by what stands around them, firms by cue, topics by form, code of one line."""

import pytest

from cipherset.pipeline.sanitize.detectors.content.code import CodeDetector
from cipherset.pipeline.sanitize.detectors.content.confidential import ConfidentialDetector
from cipherset.pipeline.sanitize.detectors.content.topics import TopicDetector
from cipherset.pipeline.sanitize.detectors.names.organizations import OrganizationDetector
from cipherset.pipeline.sanitize.detectors.names.people import NameDetector
from cipherset.pipeline.sanitize.detectors.prose import (
    names_detectors,
    secrecy_detectors,
    topic_detectors,
)
from cipherset.pipeline.sanitize.spans import merged

PEOPLE = {
    "The order for J. R. Whitcombe has not arrived": ["J. R. Whitcombe"],
    "Please ask J.R. Quellmalz about it": ["J.R. Quellmalz"],
    "signed, T. Oyelaran-Vance": ["T. Oyelaran-Vance"],
    "cc: M. Fahrenkrug": ["M. Fahrenkrug"],
    "WHITCOMBE, JULIAN\nacct 44": ["WHITCOMBE, JULIAN"],
    "Passenger list: OYELARAN, TEMI": ["OYELARAN, TEMI"],
    "Whitcombe, Julian R.": ["Whitcombe, Julian R"],
    "It still fails.\n\nRegards,\nTorvik Haldane\nLead engineer": ["Torvik Haldane"],
    "It still fails.\n\nKind regards\nTorvik": ["Torvik"],
    "It still fails.\n--\nTorvik Haldane\nFoo Ltd": ["Torvik Haldane"],
    "It still fails.\n-- \nQuenby Astor-Lund": ["Quenby Astor-Lund"],
    "Best wishes,\nmarta": ["marta"],
    "Thanks!\nPriya": ["Priya"],
    "Many thanks,\nZsofi": ["Zsofi"],
    "it works now, thank you\n- Bronwyn": ["Bronwyn"],
    "Marta said the invoice was wrong": ["Marta"],
    "Priya has left the team.": ["Priya"],
    "Thanks Priya, that worked": ["Priya"],
    "Thanks Rose!": ["Rose"],
    "Thank you Grace.": ["Grace"],
    "hi marta, can you look": ["marta"],
    "hey tom": ["tom"],
    "ask priya about the refund": ["priya"],
    "i spoke with marta yesterday": ["marta"],
    "i'll cc dave and priya": ["dave", "priya"],
    "can you tell kevin i'm late": ["kevin"],
    "thx marta": ["marta"],
    "ok marta, will do": ["marta"],
    "<firstName>Zorblax</firstName><lastName>Quux</lastName>": ["Zorblax", "Quux"],
    "<first_name>Ottoline</first_name>": ["Ottoline"],
    "<patient>Ottoline Brask</patient>": ["Ottoline Brask"],
    '<Patient id="4">Ottoline Brask</Patient>': ["Ottoline Brask"],
    "<contact>\n  <given>Torvik</given>\n  <family>Haldane</family>": ["Torvik", "Haldane"],
    "<ns:surname>Haldane</ns:surname>": ["Haldane"],
    "<customer_name>MARTA VIK</customer_name>": ["MARTA VIK"],
    "We met Jean-Luc Morvan.": ["Jean-Luc Morvan"],
    "Jean-Luc called": ["Jean-Luc"],
    "Rosario de la Cruz paid": ["Rosario de la Cruz"],
    "Pieter van der Berg paid": ["Pieter van der Berg"],
    "Siobhan O'Neill paid": ["Siobhan O'Neill"],
    "Hassan bin Ali paid": ["Hassan bin Ali"],
    "the driver, van der Berg, left": ["van der Berg"],
    "Ludwig von Achenbach-Stolz and Maria dos Santos": [
        "Ludwig von Achenbach-Stolz",
        "Maria dos Santos",
    ],
    "Mr de Vries": ["de Vries"],
    "Gate agent O'Shaughnessy helped": ["O'Shaughnessy"],
    "Yours sincerely,\n\nA. Brentwood-Hale": ["A. Brentwood-Hale"],
    "This is Ottoline from accounts.": ["Ottoline"],
    "Ottoline (she/her)": ["Ottoline"],
    "my manager Ottoline refuses": ["Ottoline"],
}
NOBODY = (
    "turkey sandwich, please",
    "Turkey is my favorite bird to roast",
    "A jack of all trades",
    "Plug it into the audio jack",
    "Can I use Apple Pay or Google Pay with my Visa or Mastercard?",
    "Will the bill be sent in May?",
    "Mark all as read",
    "Is the card accepted in France and Germany?",
    "How long does a transfer from China take?",
    "Hi there",
    "hey guys",
    "thanks so much",
    "Thanks again!",
    "Regards,\nThe Support Team",
    "Thanks,\nCustomer Service",
    "--\nSent from my iPhone",
    "--\nThis is a footer",
    "ask support about it",
    "ask him",
    "Grant access to the Frank report",
    "Python, Java and Ruby",
    "New York pizza",
    "Chicago style pizza is great",
    "Paris Agreement on climate",
    "Brussels sprouts",
    "french fries and Swiss cheese",
    "Amazon rainforest",
    "the Orange mobile network",
    "Best,\nQuality",
    "Thanks,\nManagement",
    "JSON, YAML, XML",
    "ERROR, WARNING",
    "LONDON, PARIS",
    "Monday, April 5",
    "<status>Open</status>",
    "<patient>37</patient>",
    "<contact>support</contact>",
    "<user>admin</user>",
    "Ask Google",
    "Thanks Google!",
    "Thanks Team",
    "Hi Support,",
    "Hello World",
    "hello kitty",
    "hi all,",
    "Dear Sir or Madam",
    "ok google",
    "thanks a lot",
    "Reports to Sales",
    "Docker is slow",
    "Kubernetes has a bug",
    "Firefox crashed. Chrome is fine",
    "Zelle is down",
    "Revolut is great and Wise too",
    "my salary is paid into the account?",
    "Can I have my salary paid in?",
    "How do I get my mortgage payment set up?",
    "Sydney is not a person here",
)
FIRMS = {
    "She works at Brenvik and likes it": ["Brenvik"],
    "I'm calling from Haldane Logistics about it": ["Haldane Logistics"],
    "an invoice from Brenvik arrived": ["Brenvik"],
    "our supplier Brenvik S.p.A. is late": ["Brenvik S.p.A."],
    "Brenvik S.A. and Ottol B.V. with Tarn Pty. Ltd.": [
        "Brenvik S.A.",
        "Ottol B.V.",
        "Tarn Pty. Ltd.",
    ],
    "He is an engineer at Brenvik": ["Brenvik"],
    "a nurse at Tarn Valley": ["Tarn Valley"],
    "The payment to Ottol GmbH & Co. KG failed": ["Ottol GmbH & Co. KG"],
    "Ottol S.r.l. sued Tarn A.G.": ["Ottol S.r.l.", "Tarn A.G."],
    "my contract with Brenvik ended": ["Brenvik"],
    "employed by Brenvik Foods": ["Brenvik Foods"],
    "quote from Tarn & Sons": ["Tarn & Sons"],
    "I got a job at Brenvik.": ["Brenvik"],
    "my employer, Brenvik, refused": ["Brenvik"],
    "purchase order for Brenvik": ["Brenvik"],
    "Tarn Brothers Ltd called": ["Tarn Brothers Ltd"],
}
TOPICS = {
    "Ethnicity: Black Caribbean": "ETHNICITY",
    "race: white": "ETHNICITY",
    "Race/Ethnicity: Asian": "ETHNICITY",
    "Ethnic group: Mixed - White and Asian": "ETHNICITY",
    '"ethnicity": "Hispanic"': "ETHNICITY",
    "race=Black": "ETHNICITY",
    "stage 3 CKD": "HEALTH",
    "dx: T2DM": "HEALTH",
    "hx of MI": "HEALTH",
    "s/p CABG": "HEALTH",
    "stage IV NSCLC": "HEALTH",
    "PMH: HTN, COPD": "HEALTH",
    "h/o DVT": "HEALTH",
    "s/p hip replacement": "HEALTH",
    "dx with GERD": "HEALTH",
    "Diagnosis: bipolar II": "HEALTH",
    "c/o SOB and chest pain": "HEALTH",
    "grade 2 astrocytoma": "HEALTH",
    "Diagnosis: plantar wart": "HEALTH",
    "r/o PE": "HEALTH",
    "he served 18 months for fraud": "CRIMINAL",
    "prior conviction for theft": "CRIMINAL",
    "two prior convictions": "CRIMINAL",
    "did time in 2009 for robbery": "CRIMINAL",
    "has a DUI from 2014": "CRIMINAL",
    "spent three years in prison": "CRIMINAL",
    "released on bail": "CRIMINAL",
    "was caught shoplifting": "CRIMINAL",
    "got 5 years for assault": "CRIMINAL",
    "on the sex offenders register": "CRIMINAL",
    "no prior offenses": "CRIMINAL",
    "charged with possession": "CRIMINAL",
    "my salary is 52k": "FINANCIAL",
    "I am in debt of $4,000": "FINANCIAL",
    "she earns 40,000 a year": "FINANCIAL",
    "I filed for bankruptcy last year": "FINANCIAL",
    "behind on my mortgage": "FINANCIAL",
    "Salary: $84,000": "FINANCIAL",
    "owes 12,000 on credit cards": "FINANCIAL",
    "credit score of 540": "FINANCIAL",
    "my credit score is bad": "FINANCIAL",
}
NO_TOPIC = (
    "Can I have my salary paid into this account?",
    "How do I set up a mortgage payment?",
    "Do you offer student loans?",
    "What is the credit score needed?",
    "Can my wages be deposited?",
    "when do I get my paycheck in the account",
    "salary range for this job posting",
    "I need the tax return form",
    "How do refinance options work?",
    "stage 3 of the rollout",
    "served 18 months warranty",
    "race: the final lap",
    "status: white listed",
)
SECRETS = (
    "This is a trade secret.",
    "our proprietary algorithm for ranking",
    "the proprietary formula of our coating",
    "our recipe for the sauce is 4 parts sugar",
    "Source code of the pricing engine was leaked",
    "leaked source code",
    "the unreleased roadmap for 2027",
    "our acquisition target is Brenvik",
    "we plan to acquire Brenvik, not public yet",
    "unannounced product: Falcon",
    "the secret formula",
    "our secret sauce is the ranking step",
    "proprietary process for etching",
    "our unpublished patent application",
    "internal roadmap: Q3 launch of Falcon",
    "The formulation is proprietary: 12% xylitol",
    "our manufacturing process is secret",
    "merger talks with Brenvik are not public",
)
NO_SECRET = (
    "a good recipe for soup",
    "the quadratic formula",
    "baby formula is out of stock",
    "the public roadmap on the website",
    "open source code",
    "target acquisition radar",
    "our process for refunds",
    "proprietary blend of herbs in this tea?",
    "Is your software proprietary?",
    "customer acquisition target for Q3 reached?",
    "road map",
)
CODE = (
    "SELECT name, email FROM users",
    "select * from orders where total > 5",
    "curl -X POST https://api.x.test/v1/pay -d '{\"a\":1}'",
    "sudo apt-get install nginx",
    "$ git push origin main",
    "rm -rf /var/lib/data",
    'grep -rn "foo" src | sort | uniq -c',
    "const x = await fetch(url);",
    "print(sum(x for x in xs))",
    "import numpy as np; print(np.zeros(3))",
    "UPDATE accounts SET balance = 0 WHERE id = 7",
    "DELETE FROM sessions WHERE ts < now()",
    "INSERT INTO t VALUES (1,2)",
    "docker run -d -p 80:80 nginx",
    "kubectl get pods -n prod",
    "result = client.get_user(user_id=42)",
    "x = [i**2 for i in range(10)]",
    'for f in *.txt; do mv "$f" x/; done',
    "export API_URL=https://x.test",
    "CREATE TABLE users (id INT PRIMARY KEY)",
    "pip install -r requirements.txt",
    "lambda x: x + 1",
    "if err != nil { return err }",
    "ssh -i key.pem ubuntu@10.0.0.1",
    "I ran `df.groupby('a').sum()` and it failed",
    "ps aux | grep nginx",
    "chmod +x deploy.sh && ./deploy.sh",
    "public int add(int a, int b) { return a + b; }",
    "WITH t AS (SELECT 1) SELECT * FROM t",
    "function add(a, b) { return a + b; }",
)
NO_CODE = (
    "select one from the list where you want",
    "update your account and set a password",
    "make sure to install the app",
    "go get some milk",
    "I had to run to the docker in the harbor",
    "import duties are high",
    "let me know; thanks!",
    "drop off the table at the office",
    "we export a lot",
    "create table reservations for two",
    "delete from my account the old card",
    "sudo make me a sandwich, he said",
    "if (and only if) you agree, sign;",
    "cat food is expensive",
    "find my order",
    "Price = 5, tax = 1",
)


@pytest.mark.parametrize("text", PEOPLE)
def test_people(text):
    assert found(NameDetector(), text) == PEOPLE[text]


@pytest.mark.parametrize("text", NOBODY)
def test_nobody_is_named_and_nothing_is_told(text):
    detectors = (*names_detectors(), *topic_detectors(), *secrecy_detectors())
    assert [found(detector, text) for detector in detectors] == [[]] * len(detectors)


@pytest.mark.parametrize("text", FIRMS)
def test_firms(text):
    assert found(OrganizationDetector(), text) == FIRMS[text]


@pytest.mark.parametrize("text", TOPICS)
def test_topics(text):
    assert TOPICS[text] in {span.entity for span in TopicDetector().detect([text])[0]}


@pytest.mark.parametrize("text", NO_TOPIC)
def test_products_and_other_meanings_are_no_topic(text):
    assert found(TopicDetector(), text) == []


@pytest.mark.parametrize("text", SECRETS)
def test_trade_secrets(text):
    assert "TRADE_SECRET" in {span.entity for span in ConfidentialDetector().detect([text])[0]}


@pytest.mark.parametrize("text", NO_SECRET)
def test_recipes_and_roadmaps_of_others_are_no_secret(text):
    assert found(ConfidentialDetector(), text) == []


@pytest.mark.parametrize("text", CODE)
def test_code_of_one_line(text):
    assert found(CodeDetector(), text)


@pytest.mark.parametrize("text", NO_CODE)
def test_prose_with_words_of_code(text):
    assert found(CodeDetector(), text) == []


def found(detector, text):
    return [text[span.start : span.end] for span in merged(detector.detect([text])[0])]
