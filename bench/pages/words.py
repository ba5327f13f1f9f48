"""The words that stand among digits, prose without a digit, and what is printed on forms. Written for this benchmark.

WORDS hold none of the letters that look like digits (``fonts.LIKE_DIGITS``); prose is as people write it.
"""

from __future__ import annotations

TEXT = (
    "rent paid date name item net mate wheat fruit tea ham jam paper ticket tram pen ink tax dry army peach cup card fat "
    "mint rice chicken kiwi pie train taxi key cat crate Ham Tea Rent Card KEY TAX MARK Mark March part near hat park "
    "entry cream Cream mixture jar raw team thin extra metre meter private unit Unit centre track exact warm army Hut"
)
WORDS = tuple(TEXT.split())

PROSE = (
    "We walked along the river until the sun went down, and nobody said a word about the boat that we had left behind "
    "in the morning. The old bridge was closed again, so we had to turn back and take the long way through the fields. "
    "My sister found a blue feather and kept it in her book, between the pages about birds and the ones about the sea.",
    "Dear friend, thank you for your kind letter and for the photographs. The garden looks lovely, and I am glad that the "
    "roses came back after such a hard winter. Here everything is as usual: the baker opens late, the dog next door "
    "barks at the moon, and grandmother still refuses to use the telephone. Please write again soon.",
    "Slice the onions very thin and let them fry slowly in butter until they are golden. Add the stock, a bay leaf and a "
    "little salt, then let the pot simmer while you toast the bread. Grate the cheese over each bowl and put it under "
    "the grill. Serve it hot, with the rest of the wine, and do not let anybody start before all are seated.",
    "The meeting began with a long silence. Then Olga said that the plan was good but that it would take more people, and "
    "Bill answered that people were just what we did not have. In the end we agreed to begin with the roof, to ask the "
    "school for its hall, and to look for somebody who could lend us a lorry for a weekend in spring.",
    "To do this week: call the plumber about the kitchen sink, bring the library books back, look for the green umbrella, "
    "buy soap, bread and coffee, ask Sam about the ladder, send the parcel to aunt Lizzie, sweep the balcony, and finally "
    "fix the squeaking door, which has been waking everybody who goes to bed before midnight.",
)

_DATES = "Date of birth;Start date;End date;Delivery date;Valid until;Reading date;Date;Due on;Issued on"
_LABELS = (
    "Account;Customer;Postcode;Amount;Telephone;Reference;Invoice;Quantity;Meter reading;Votes;Total;Room;Member;"
    "Policy;Branch;Employee;Year;Points;Score;Distance;Weight;Height;Balance;Deposit;Order;Identity card;Tax number;"
    "Street and house;Section;Ballots issued;Void;Pupil;Grade;Class;Hours worked;Overtime;Mileage;Receipt;"
    "Serial number;Contract;Subscriber;Kilowatt hours;Cubic metres"
)
_NOTES = (
    "Please write clearly and use capital letters;One digit in each box;For office use only;Tick where it applies;To "
    "be filled in by the applicant;Do not fold this sheet;Keep a copy for your records;See the notes overleaf;All "
    "fields are required;Return this form to your branch;Signature of the applicant;Enter the whole amount without "
    "spaces"
)
_TITLES = (
    "Application for membership;Meter reading card;Registration;Change of address;Statement of hours;Result "
    "sheet;Transfer order;Claim for expenses;Order form;Delivery note;Stock list;Attendance;Examination results;Class "
    "register;Marks;Laboratory protocol;Score sheet;Inventory;Cash book;Entry list;Timesheet;Sign-up sheet;Survey"
)
_COLUMNS = (
    "Points;Mark;Test;Oral;Written;Result;Total;Sum;Count;Pieces;Grade;Score;Absent;Paid;Due;Hours;Litres;Stock;Sold"
)
_CHECKS = "yes;no;male;female;married;single;cash;card;new;renewal;monthly;yearly;private;business"
_FIRST = (
    "Anna;Ben;Carla;David;Elena;Felix;Greta;Hannah;Ivan;Julia;Karim;Lena;Marco;Nora;Oscar;Paula;Quentin;Rosa;Samir;"
    "Tara;Ugo;Vera;William;Xenia;Yusuf;Zoe;Amal;Bruno;Chiara;Dario;Emma;Fatima;George;Helene;Isabel;Jonas;Kaya;Lukas;"
    "Maria;Nils"
)
_LAST = (
    "Abbott;Bauer;Carter;Dubois;Ekberg;Fischer;Garcia;Hansen;Ivanova;Jansen;Kowalski;Lopez;Meyer;Novak;Okafor;Petrov;"
    "Quist;Rossi;Schmidt;Tanaka;Ullmann;Vargas;Weber;Yilmaz;Zimmer;Andersen;Brooks;Conti;Demir;Evans;Fraser;Gruber;"
    "Hughes"
)
DATES, LABELS, NOTES, TITLES = (tuple(text.split(";")) for text in (_DATES, _LABELS, _NOTES, _TITLES))
COLUMNS, CHECKS, FIRST, LAST = (tuple(text.split(";")) for text in (_COLUMNS, _CHECKS, _FIRST, _LAST))
