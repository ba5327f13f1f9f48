"""What a line of writing says, seen by a network that slides along it: no digit is cut out of it before it is known.

``strip`` makes a grey strip of a fixed height, ``network`` answers for its columns, ``decode`` makes digits of the answers.
"""
