"""The made-up sample mailbox: seeded, deterministic, hard enough to be honest.

    from mailml.lab import sample
    box = sample.generate(seed=7, messages=3000)

All people, companies and texts are our own invention; addresses lie under .example and .test, with the one
exception of enterprise-client.com, the domain of the default flow.
"""

from mailml.lab.sample.desk import ADDRESS as ADDRESS
from mailml.lab.sample.desk import CATEGORIES as CATEGORIES
from mailml.lab.sample.desk import QUEUE_OF as QUEUE_OF
from mailml.lab.sample.desk import QUEUES as QUEUES
from mailml.lab.sample.labelled import write_labels as write_labels
from mailml.lab.sample.live import LiveMail as LiveMail
from mailml.lab.sample.live import live_mails as live_mails
from mailml.lab.sample.mailbox import END as END
from mailml.lab.sample.mailbox import Sample as Sample
from mailml.lab.sample.mailbox import generate as generate
from mailml.lab.sample.record import SampleMessage as SampleMessage
